//! The project's own commands, from `[tasks]` of `infra.toml`.

use std::path::Path;

use clap::{Arg, ArgMatches};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::{Manifest, Task};
use crate::ops::RunTask;
use crate::project::Project;

use super::entry::Rendered;
use super::host::{self, Kind};
use super::{commands, completions};

/// A task as a command.
#[derive(Debug, Clone)]
pub(super) struct TaskEntry {
    pub(super) name: String,
    task: Task,
}

const ARGS: &str = "args";

impl TaskEntry {
    pub(super) fn command(&self) -> clap::Command {
        clap::Command::new(self.name.clone()).about(self.task.summary()).arg(
            Arg::new(ARGS)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("ARG")
                .help("More arguments for the command"),
        )
    }
}

/// Whether a task cannot take this name.
fn is_built_in(name: &str) -> bool {
    commands::find(name).is_some() || [completions::NAME, "help"].contains(&name)
}

/// The tasks of the project that `dir` belongs to, without those that would hide a built-in. Where a manifest cannot be
/// read there are none, and its error is returned too: opening the project will say it again, but a task cannot be asked for.
pub(super) fn load(dir: &Path) -> (Vec<TaskEntry>, Option<Error>) {
    let root = match crate::project::root(dir) {
        Ok(root) => root,
        Err(error @ Error::Manifest(_)) => return (Vec::new(), Some(error)),
        // No project is no problem yet: `help` and `completions` work anywhere.
        Err(_) => return (Vec::new(), None),
    };
    match Manifest::load(&root) {
        Ok(manifest) => {
            let tasks = manifest.tasks.into_iter().map(|(name, task)| TaskEntry { name, task });
            (tasks.filter(|task| !is_built_in(&task.name)).collect(), None)
        }
        Err(error) => (Vec::new(), Some(error.into())),
    }
}

/// Says which tasks cannot be reached, since a command has their name.
pub(super) fn tell_hidden(project: &Project) {
    for name in project.manifest().tasks.keys() {
        if !matches!(host::offered_as(name), Some(Kind::Task(_))) {
            project.warn(format_args!("the task `{name}` in infra.toml is hidden by the command of that name"));
        }
    }
}

/// Runs what a task needs, then the task.
pub(super) fn run(project: &Project, task: &TaskEntry, matches: &ArgMatches) -> Result<Rendered> {
    for name in order(project, &task.name)? {
        let rendered = match commands::find(&name) {
            Some(entry) => entry.run_default(project)?,
            None => Rendered::of(&project.run(&RunTask { name: name.clone(), args: Vec::new() })?)?,
        };
        if rendered.exit != Exit::Ok {
            project.warn(format_args!("`{name}`, which `{}` needs, did not succeed", task.name));
            return Ok(rendered);
        }
    }
    let args = matches.get_many::<String>(ARGS).into_iter().flatten().cloned().collect();
    Rendered::of(&project.run(&RunTask { name: task.name.clone(), args })?)
}

/// What must run before a task, each once, in order.
fn order(project: &Project, task: &str) -> Result<Vec<String>> {
    fn visit(project: &Project, name: &str, path: &mut Vec<String>, order: &mut Vec<String>) -> Result<()> {
        if path.iter().any(|open| open == name) {
            return Err(Error::new(
                Exit::Config,
                format!("the tasks need each other in a circle: {} -> {name}", path.join(" -> ")),
            ));
        }
        let Some(task) = project.manifest().tasks.get(name) else { return Ok(()) };
        path.push(name.to_owned());
        for need in &task.needs {
            if commands::find(need).is_none() && !project.manifest().tasks.contains_key(need) {
                return Err(Error::new(
                    Exit::Config,
                    format!("task `{name}` needs `{need}`, which is neither a command nor a task"),
                ));
            }
            visit(project, need, path, order)?;
            if !order.contains(need) {
                order.push(need.clone());
            }
        }
        path.pop();
        Ok(())
    }
    let mut order = Vec::new();
    visit(project, task, &mut Vec::new(), &mut order)?;
    Ok(order)
}
