//! Parses the command line, for a host or for ourselves.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{FromArgMatches as _, Subcommand};

use super::aliases::{self, PreParsed};
use super::assemble::assemble;
use super::command::Command;
use super::completions;
use super::end::End;
use super::globals::Globals;
use super::help_json;
use super::run::Context;

/// A parsed command line.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cli<C> {
    /// The parsed command, of the type that `parse` was called with.
    pub command: C,
    /// The global options, and how to run the library's commands with them.
    pub context: Context,
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
        End::Shown(completions::answer::<C>(typed)).leave(&PreParsed::default());
    }
    if let Some(path) = completions::program::asked(&words) {
        End::Shown(path).leave(&PreParsed::default());
    }
    let early = aliases::early(&words);
    try_parse(&words, &early).unwrap_or_else(|end| end.leave(&early))
}

fn try_parse<C: Subcommand>(words: &[OsString], early: &PreParsed) -> Result<Cli<C>, End> {
    let (mut command, problem) = assemble::<C>(&early.dir);
    let words = aliases::expand(words, early, |word| word == "help" || command.find_subcommand(word).is_some());
    if early.json && early.word.as_ref().is_some_and(|(_, word)| word == "help") {
        return Err(End::Shown(help_json::document(&command)));
    }
    let matches = match (command.try_get_matches_from_mut(&words), problem) {
        (Ok(matches), _) => matches,
        // The word may be a task of the configuration that cannot be read.
        (Err(error), Some(problem)) if error.kind() == ErrorKind::InvalidSubcommand => {
            return Err(End::Problem(problem));
        }
        (Err(error), _) if early.json && is_help(&error) => return Err(End::Shown(help_json::document(&command))),
        (Err(error), _) if End::lacks_environment(&error) => {
            let known = completions::environments(early);
            return Err(End::usage("missing name after --env", format!("use one of these: {}", known.join(", "))));
        }
        (Err(error), _) => return Err(End::from_clap(error, &command)),
    };
    let globals = Globals::from_arg_matches(&matches).map_err(|error| End::from_clap(error, &command))?;
    if let Some(contradiction) = globals.contradiction() {
        return Err(End::usage(contradiction, "use only one of them"));
    }
    let parsed = C::from_arg_matches(&matches).map_err(|error| End::from_clap(error.format(&mut command), &command))?;
    Ok(Cli { command: parsed, context: Context::new(globals) })
}

fn is_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
}
