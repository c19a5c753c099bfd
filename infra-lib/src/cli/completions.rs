//! Shell completion: scripts that ask the program itself, so that they know the project's services and tasks.
//!
//! A script calls `xtask __complete WORD…` with the words that were typed so far. It calls the program that was built
//! last, not `cargo xtask`, which would look at every source file first and perhaps compile. Which program that is, it
//! asks with `xtask __completer`, see [`program`].

mod candidates;
pub(super) mod program;
pub(super) mod script;
mod sources;

use std::ffi::OsString;

use clap::Subcommand;

use super::aliases;
use super::assemble::assemble;

use sources::Sources;

/// The hidden word by which scripts ask.
const ASK: &str = "__complete";

/// The typed words, if it is a script that asks. The last one is being typed.
pub(super) fn asked(words: &[OsString]) -> Option<Vec<String>> {
    let (ask, typed) = words.get(1..)?.split_first()?;
    (ask == ASK).then(|| typed.iter().map(|word| word.to_string_lossy().into_owned()).collect())
}

/// The names that `-e` takes in this folder.
pub(super) fn environments(early: &aliases::PreParsed) -> Vec<String> {
    Sources::new(early.dir.clone(), None).environments()
}

/// What the last word could become, one per line, each with a description after a tab.
pub(super) fn answer<C: Subcommand>(typed: Vec<String>) -> String {
    let words: Vec<OsString> =
        std::iter::once("xtask".to_owned()).chain(typed.iter().cloned()).map(Into::into).collect();
    let early = aliases::early(&words);
    let (mut root, _) = assemble::<C>(&early.dir);
    root.build();
    candidates::candidates(&root, &typed, &Sources::new(early.dir, early.env)).join("\n")
}
