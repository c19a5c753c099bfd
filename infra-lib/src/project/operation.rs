//! The trait that every operation implements.

use std::fmt::Display;

use serde::Serialize;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;

/// Something that can be done to a project. The fields of the implementing type are its options.
///
/// Operations emit events and return outcomes; they never print, prompt or exit. "Nothing to do" and "the stack is
/// unhealthy" are outcomes, not errors.
pub trait Operation {
    /// The name of the command, such as `db-backup`.
    const NAME: &'static str;
    /// The heading under which the help lists it.
    const GROUP: Group;
    /// Whether to record it in the journal: for operations that change something.
    const JOURNAL: bool = true;
    /// Whether it hands the terminal to a child such as a shell, and so cannot produce JSON.
    const INTERACTIVE: bool = false;
    /// Whether it also works in a folder that is not a project yet.
    const ANYWHERE: bool = false;
    /// The type of its result.
    type Outcome: Outcome;

    /// Whether to record this run in the journal.
    fn is_journaled(&self) -> bool {
        Self::JOURNAL
    }

    /// Runs the operation on this project.
    fn run(&self, project: &Project) -> Result<Self::Outcome>;
}

/// The result of an operation: serialisable for programs, displayable for people.
pub trait Outcome: Serialize + Display {
    /// The exit code that the outcome means. A check that found a problem is not 0.
    fn exit(&self) -> Exit {
        Exit::Ok
    }

    /// Whether the output was already emitted during the run as [`Event::Data`](crate::report::Event), so that there
    /// is nothing left to print.
    fn is_streamed(&self) -> bool {
        false
    }

    /// What to print with `--quiet` if the outcome is not a success.
    fn brief(&self) -> String {
        self.to_string()
    }

    /// Commands that are useful next.
    fn next(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A heading in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Group {
    /// The stack, from `setup` to `clean`.
    Lifecycle,
    /// Commands that replace what runs by a release.
    Deploy,
    /// Commands for the database.
    Database,
    /// Commands for everything that is stored: all of it, or single volumes.
    Everything,
    /// Commands that run unattended.
    Unattended,
    /// Commands for the project in general.
    General,
}

impl Group {
    /// All headings, in the order of the help.
    #[cfg(feature = "cli")]
    pub(crate) const ALL: [Self; 6] =
        [Self::Lifecycle, Self::Deploy, Self::Database, Self::Everything, Self::Unattended, Self::General];

    /// The text of the heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lifecycle => "Lifecycle",
            Self::Deploy => "Releases",
            Self::Database => "Database",
            Self::Everything => "Everything at once",
            Self::Unattended => "Unattended",
            Self::General => "General",
        }
    }
}
