//! Ours among a host's commands.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches, Subcommand};

use crate::error::Error;

use super::aliases::{self, Early};
use super::end::End;
use super::entry::Entry;
use super::globals::Globals;
use super::run::Context;
use super::tasks::{self, TaskEntry};
use super::{commands, completions, help};

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

/// A parsed command line.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cli<C> {
    /// The command.
    pub command: C,
    /// The global options, and how to run the library's commands with them.
    pub context: Context,
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
    fn name(&self) -> &str {
        match self {
            Self::Operation(entry) => entry.name,
            Self::Task(task) => &task.name,
            Self::Completions => completions::NAME,
        }
    }

    fn command(&self) -> clap::Command {
        match self {
            Self::Operation(entry) => entry.command(),
            Self::Task(task) => task.command(),
            Self::Completions => completions::command(),
        }
    }
}

/// What clap's derived traits, being static, cannot be told in another way: which commands we offer beside the host's.
static OFFERED: Mutex<Vec<Kind>> = Mutex::new(Vec::new());

fn offered() -> Vec<Kind> {
    OFFERED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn offer(kinds: Vec<Kind>) {
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

/// The whole command line of a project without commands of its own.
pub fn main() -> ExitCode {
    let cli = parse::<Command>();
    cli.context.run(cli.command)
}

/// Parses the process's arguments, with the host's commands before ours. Help, `--version` and bad usage end the
/// process, with 0 or 64.
pub fn parse<C: Subcommand>() -> Cli<C> {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(typed) = completions::asked(&words) {
        End::Shown(completions::answer::<C>(typed)).leave(false);
    }
    let early = aliases::early(&words);
    try_parse(&words, &early).unwrap_or_else(|end| end.leave(early.json))
}

/// The root command with the host's commands, ours and the project's tasks; and why the tasks are unknown, if they are.
pub(super) fn assemble<C: Subcommand>(dir: &Path) -> (clap::Command, Option<Error>) {
    // First with none of ours, to learn which names the host keeps for itself; what both have is the host's.
    offer(Vec::new());
    let host = C::augment_subcommands(clap::Command::new("host"));
    let host: BTreeSet<&str> = host.get_subcommands().map(clap::Command::get_name).collect();
    let (tasks, problem) = tasks::load(dir);
    let operations = commands::all().into_iter().map(Kind::Operation);
    let ours = operations.chain([Kind::Completions]).chain(tasks.into_iter().map(Box::new).map(Kind::Task));
    offer(ours.filter(|kind| !host.contains(kind.name())).collect());
    (help::command::<C>(), problem)
}

fn try_parse<C: Subcommand>(words: &[OsString], early: &Early) -> Result<Cli<C>, End> {
    let (mut command, problem) = assemble::<C>(&early.dir);
    let words = aliases::expand(words, early, |word| word == "help" || command.find_subcommand(word).is_some());
    let matches = match (command.try_get_matches_from_mut(&words), problem) {
        (Ok(matches), _) => matches,
        // The word may be a task of the manifest that cannot be read.
        (Err(error), Some(problem)) if error.kind() == ErrorKind::InvalidSubcommand => {
            return Err(End::Problem(problem));
        }
        (Err(error), _) => return Err(End::of(&error, &command)),
    };
    let globals = Globals::from_arg_matches(&matches).map_err(|error| End::of(&error, &command))?;
    if let Some(contradiction) = globals.contradiction() {
        return Err(End::usage(contradiction, "leave one of them out"));
    }
    let parsed = C::from_arg_matches(&matches).map_err(|error| End::of(&error.format(&mut command), &command))?;
    Ok(Cli { command: parsed, context: Context::new(globals) })
}
