//! An operation as a command.

use std::fmt::Debug;

use clap::{Arg, ArgAction, ArgMatches, Args};
use serde_json::Value;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};

/// What the command line knows about an operation.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) group: Group,
    /// Whether it cannot answer in JSON.
    pub(super) interactive: bool,
    /// Whether it works in a folder that is not a project yet.
    pub(super) anywhere: bool,
    augment: fn(clap::Command) -> clap::Command,
    run: fn(&Project, &ArgMatches) -> Result<Rendered>,
    modes: Vec<Mode>,
    /// The parsed and the default operation, both as `Debug` text.
    #[cfg(test)]
    pub(super) parsed_and_default: fn(&ArgMatches) -> (String, String),
}

/// An operation that a flag of the command selects.
#[derive(Clone)]
struct Mode {
    flag: Arg,
    run: fn(&Project, &ArgMatches) -> Result<Rendered>,
}

/// The entry of an operation whose options are clap arguments.
pub(super) fn entry<O: Operation + Args + Default + Debug>() -> Entry {
    Entry {
        name: O::NAME,
        group: O::GROUP,
        interactive: O::INTERACTIVE,
        anywhere: O::ANYWHERE,
        augment: O::augment_args,
        run: run::<O>,
        modes: Vec::new(),
        #[cfg(test)]
        parsed_and_default: |matches| {
            let parsed = O::from_arg_matches(matches);
            (parsed.map(|parsed| format!("{parsed:?}")).unwrap_or_default(), format!("{:?}", O::default()))
        },
    }
}

impl Entry {
    /// Adds a flag that runs another operation instead. Options that both have are the command's.
    pub(super) fn mode<O: Operation + Args>(mut self, flag: Arg) -> Self {
        let about = O::augment_args(clap::Command::new(O::NAME)).get_about().cloned().unwrap_or_default();
        self.modes.push(Mode { flag: flag.action(ArgAction::SetTrue).help(about), run: run::<O> });
        self
    }

    /// The command, whose help is the same for `-h` and `--help`: all of the operation's documentation, compactly.
    pub(super) fn command(&self) -> clap::Command {
        let command = (self.augment)(clap::Command::new(self.name));
        let command = command.args(self.modes.iter().map(|mode| mode.flag.clone()));
        let about = command.get_long_about().or(command.get_about()).cloned().unwrap_or_default();
        command.about(about).long_about(None)
    }

    pub(super) fn run(&self, project: &Project, matches: &ArgMatches) -> Result<Rendered> {
        let mode = self.modes.iter().find(|mode| matches.get_flag(mode.flag.get_id().as_str()));
        mode.map_or(self.run, |mode| mode.run)(project, matches)
    }

    /// Runs it as if its name alone had been typed.
    pub(super) fn run_default(&self, project: &Project) -> Result<Rendered> {
        let matches = self.command().try_get_matches_from([self.name]).map_err(usage)?;
        self.run(project, &matches)
    }
}

fn run<O: Operation + Args>(project: &Project, matches: &ArgMatches) -> Result<Rendered> {
    let operation = O::from_arg_matches(matches).map_err(usage)?;
    Rendered::from_outcome(&project.run(&operation)?)
}

fn usage(error: clap::Error) -> Error {
    Error::new(Exit::Usage, error.to_string())
}

/// An outcome in its printable forms.
pub(super) struct Rendered {
    pub(super) text: String,
    /// The part of the text that is printed with `--quiet`.
    pub(super) brief: String,
    pub(super) json: Value,
    pub(super) exit: Exit,
    /// Whether everything was printed already.
    pub(super) streamed: bool,
    /// Whether a dry run has shown changes instead of making them, so that its text would claim too much.
    pub(super) withheld: bool,
    pub(super) next: Vec<String>,
}

impl Rendered {
    pub(super) fn from_outcome(outcome: &impl Outcome) -> Result<Self> {
        let json = serde_json::to_value(outcome)
            .map_err(|error| Error::new(Exit::Failed, format!("the outcome is not JSON: {error}")))?;
        Ok(Self {
            text: outcome.to_string(),
            brief: outcome.brief(),
            json,
            exit: outcome.exit(),
            withheld: false,
            streamed: outcome.is_streamed(),
            next: outcome.next(),
        })
    }
}
