//! All commands together: the host's, ours, and the project's tasks.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Subcommand;

use crate::project::error::Error;

use super::command::{Kind, offer};
use super::{commands, help, task};

/// The root command with the host's commands, ours and the project's tasks; and why the tasks are unknown, if they are.
pub(super) fn assemble<C: Subcommand>(dir: &Path) -> (clap::Command, Option<Error>) {
    // First without ours, to learn the host's names; a name that both have is the host's.
    offer(Vec::new());
    let host = C::augment_subcommands(clap::Command::new("host"));
    let host: BTreeSet<&str> = host.get_subcommands().map(clap::Command::get_name).collect();
    let (tasks, problem) = task::load(dir);
    let is_hidden = |name: &str| tasks.iter().any(|task| task.name == name);
    let operations: Vec<_> = commands::all().into_iter().filter(|entry| !is_hidden(entry.name)).collect();
    let operations = operations.into_iter().map(Kind::Operation);
    let ours = operations.chain([Kind::Completions]).chain(tasks.into_iter().map(Box::new).map(Kind::Task));
    offer(ours.filter(|kind| !host.contains(kind.name())).collect());
    (help::command::<C>(), problem)
}
