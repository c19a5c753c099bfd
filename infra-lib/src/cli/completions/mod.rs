//! Shell completion: scripts that ask the program itself, so that they know the project's services and tasks.
//!
//! A script calls `xtask __complete WORD…` with the words that were typed so far. It calls the program that was built
//! last, not `cargo xtask`, which would look at every source file first and perhaps compile.

mod candidates;
mod sources;

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Subcommand};
use serde_json::json;

use crate::exit::Exit;

use super::entry::Rendered;
use super::{aliases, host};

use sources::Sources;

/// The command that prints a script.
pub(super) const NAME: &str = "completions";
/// The hidden word by which scripts ask.
const ASK: &str = "__complete";

const SHELL: &str = "shell";
const SCRIPTS: [(&str, &str, &str); 3] = [
    ("bash", include_str!("script.bash"), "source <(cargo xtask completions bash)"),
    ("zsh", include_str!("script.zsh"), "source <(cargo xtask completions zsh)"),
    ("fish", include_str!("script.fish"), "cargo xtask completions fish | source"),
];

pub(super) fn command() -> clap::Command {
    let lines: Vec<String> = SCRIPTS.iter().map(|(name, _, line)| format!("  {name:5} {line}")).collect();
    clap::Command::new(NAME)
        .about("Print a script that completes `cargo xtask` in a shell.")
        .after_help(format!("In the shell's start-up file:\n{}", lines.join("\n")))
        .arg(
            Arg::new(SHELL)
                .required(true)
                .value_name("SHELL")
                .value_parser(SCRIPTS.map(|(name, _, _)| name))
                .help("The shell"),
        )
}

/// The script that was asked for.
pub(super) fn script(matches: &ArgMatches) -> Rendered {
    let shell = matches.get_one::<String>(SHELL).map_or("bash", String::as_str);
    let script = SCRIPTS.iter().find(|(name, _, _)| *name == shell).map_or("", |(_, script, _)| script);
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let quoted = shlex::try_quote(&program.to_string_lossy()).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let text = script.replace("@program@", &quoted).replace("@name@", &name);
    let json = json!({"shell": shell, "script": text});
    Rendered { text, json, exit: Exit::Ok, streamed: false, withheld: false, next: Vec::new() }
}

/// The typed words, if it is a script that asks. The last one is being typed.
pub(super) fn asked(words: &[OsString]) -> Option<Vec<String>> {
    let (ask, typed) = words.get(1..)?.split_first()?;
    (ask == ASK).then(|| typed.iter().map(|word| word.to_string_lossy().into_owned()).collect())
}

/// What the last word could become, one per line, each with a description after a tab.
pub(super) fn answer<C: Subcommand>(typed: Vec<String>) -> String {
    let words: Vec<OsString> =
        std::iter::once("xtask".to_owned()).chain(typed.iter().cloned()).map(Into::into).collect();
    let early = aliases::early(&words);
    let (mut root, _) = host::assemble::<C>(&early.dir);
    root.build();
    candidates::of(&root, &typed, &Sources::new(early.dir, early.env)).join("\n")
}
