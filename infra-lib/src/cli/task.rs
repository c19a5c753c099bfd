//! A task of `infra.toml`, as a command.

use std::path::Path;

use clap::Arg;

use crate::config::ConfigError;
use crate::config::{Config, Task};
use crate::project::error::Error;

use super::commands;

/// A task as a command.
#[derive(Debug, Clone)]
pub(super) struct TaskEntry {
    pub(super) name: String,
    task: Task,
}

pub(super) const ARGS: &str = "args";

impl TaskEntry {
    pub(super) fn new(name: impl Into<String>, task: Task) -> Self {
        Self { name: name.into(), task }
    }

    pub(super) fn command(&self) -> clap::Command {
        clap::Command::new(self.name.clone()).about(self.task.summary()).arg(
            Arg::new(ARGS)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("ARG")
                .help("Arguments for the command"),
        )
    }
}

/// Whether a task cannot take this name.
fn is_built_in(name: &str) -> bool {
    commands::names().contains(&name)
}

/// The tasks of the project that `dir` belongs to, without those that would hide a built-in. If `infra.toml` cannot be
/// read there are none, and its error is returned too: opening the project will say it again, but a task cannot be asked for.
pub(super) fn load(dir: &Path) -> (Vec<TaskEntry>, Option<Error>) {
    let root = match crate::project::root(dir) {
        Ok(root) => root,
        Err(error) if error.downcast_ref::<ConfigError>().is_some() => return (Vec::new(), Some(error)),
        // A missing project is not an error yet: `help` and `completions` work anywhere.
        Err(_) => return (Vec::new(), None),
    };
    match Config::load(&root) {
        Ok(manifest) => {
            let tasks = manifest.tasks.into_iter().map(|(name, task)| TaskEntry::new(name, task));
            (tasks.filter(|task| !is_built_in(&task.name)).collect(), None)
        }
        Err(error) => (Vec::new(), Some(error.into())),
    }
}
