//! One of our commands, as clap sees it.

use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches, Subcommand};

use super::completions::script;
use super::entry::Entry;
use super::task::TaskEntry;

/// One of the library's commands, or one of the project's tasks, as parsed.
///
/// Flatten it into an enum of your own:
///
/// ```no_run
/// #[derive(clap::Subcommand)]
/// enum Xtask {
///     /// Build the handbook
///     Handbook,
///     #[command(flatten)]
///     Infra(infra_lib::cli::Command),
/// }
///
/// fn main() -> std::process::ExitCode {
///     let cli = infra_lib::cli::parse::<Xtask>();
///     match cli.command {
///         Xtask::Handbook => std::process::ExitCode::SUCCESS,
///         Xtask::Infra(command) => cli.context.run(command),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Command {
    pub(super) kind: Kind,
    pub(super) matches: Box<ArgMatches>,
}

#[derive(Clone)]
pub(super) enum Kind {
    Operation(Entry),
    Task(Box<TaskEntry>),
    Completions,
}

impl Command {
    /// The command's or task's name.
    pub fn name(&self) -> &str {
        self.kind.name()
    }

    pub(super) fn is_interactive(&self) -> bool {
        matches!(&self.kind, Kind::Operation(entry) if entry.interactive)
    }
}

impl Kind {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Operation(entry) => entry.name,
            Self::Task(task) => &task.name,
            Self::Completions => script::NAME,
        }
    }

    fn command(&self) -> clap::Command {
        match self {
            Self::Operation(entry) => entry.command(),
            Self::Task(task) => task.command(),
            Self::Completions => script::command(),
        }
    }
}

/// The commands that we offer besides the host's. Static, because clap's derived traits are.
static OFFERED: Mutex<Vec<Kind>> = Mutex::new(Vec::new());

fn offered() -> Vec<Kind> {
    OFFERED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn offer(kinds: Vec<Kind>) {
    *OFFERED.lock().unwrap_or_else(PoisonError::into_inner) = kinds;
}

/// What we offer under this name, if we do.
pub(super) fn offered_as(name: &str) -> Option<Kind> {
    offered().into_iter().find(|kind| kind.name() == name)
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(offered().iter().map(Kind::command))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        offered_as(name).is_some()
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let kind = offered_as(name).ok_or_else(missing)?;
        Ok(Self { kind, matches: Box::new(matches.clone()) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("name", &self.name()).finish_non_exhaustive()
    }
}
