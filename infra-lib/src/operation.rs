//! What every operation is.

use std::fmt::Display;

use serde::Serialize;

use crate::error::Result;
use crate::exit::Exit;
use crate::project::Project;

/// One thing that can be done to a project: its options are the fields of the type that implements this.
///
/// Operations emit events and return outcomes; they never print, prompt or exit. That nothing had to be done, or that
/// the stack is unhealthy, is an outcome and not an error.
pub trait Operation {
    /// The command's name.
    const NAME: &'static str;
    /// Where it stands in the help.
    const GROUP: Group;
    /// Whether an entry in the journal is worth having: for what changes something.
    const JOURNAL: bool = true;
    /// Whether it hands the caller's terminal to somebody else, such as a shell, and so has no answer in JSON.
    const INTERACTIVE: bool = false;
    /// Whether a folder will do that is no project yet.
    const ANYWHERE: bool = false;
    /// What it returns.
    type Outcome: Outcome;

    /// Whether this run of it is worth an entry.
    fn is_journaled(&self) -> bool {
        Self::JOURNAL
    }

    /// Does it.
    fn run(&self, project: &Project) -> Result<Self::Outcome>;
}

/// What an operation returns: serialisable for programs, displayable for people.
pub trait Outcome: Serialize + Display {
    /// What it means as an exit code; an outcome can be a no.
    fn exit(&self) -> Exit {
        Exit::Ok
    }

    /// Whether everything was already handed over while the operation ran, as [`Event::Data`](crate::report::Event), so
    /// that nothing is left to show.
    fn is_streamed(&self) -> bool {
        false
    }

    /// What of it whoever asked for quiet should read, where it says no.
    fn brief(&self) -> String {
        self.to_string()
    }

    /// Commands that are useful now.
    fn next(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A heading of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Group {
    /// The stack, from setup to clean.
    Lifecycle,
    /// The database.
    Database,
    /// Everything that is kept, at once or by volume.
    Everything,
    /// What runs while nobody is there.
    Unattended,
    /// The project as a whole.
    General,
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lifecycle => "Lifecycle",
            Self::Database => "Database",
            Self::Everything => "Everything at once",
            Self::Unattended => "Unattended",
            Self::General => "General",
        }
    }
}
