//! Running the project's own commands, from `[tasks]` of `infra.toml`.

use clap::ArgMatches;

use crate::exit::Exit;
use crate::ops::RunTask;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::command::{Kind, offered_as};
use super::commands;
use super::entry::Rendered;
use super::task::{ARGS, TaskEntry};

/// Warns of tasks that are not available because a command has their name, and names commands that a task hides.
pub(super) fn tell_hidden(project: &Project) {
    for name in project.config().tasks.keys() {
        if commands::is_hidden_by_task(name) {
            project.warn(format_args!("the task `{name}` in infra.toml hides the command `{name}`"));
        }
        if !matches!(offered_as(name), Some(Kind::Task(_))) {
            project.warn(format_args!("the task `{name}` in infra.toml is not available: a command has the same name"));
        }
    }
}

/// Runs what a task needs, then the task.
pub(super) fn run(project: &Project, task: &TaskEntry, matches: &ArgMatches) -> Result<Rendered> {
    for name in order(project, &task.name)? {
        let is_task = project.config().tasks.contains_key(&name);
        let rendered = match commands::find(&name).filter(|_| !(is_task && commands::is_hidden_by_task(&name))) {
            Some(entry) => entry.run_default(project)?,
            None => Rendered::from_outcome(&project.run(&RunTask { name: name.clone(), args: Vec::new() })?)?,
        };
        if rendered.exit != Exit::Ok {
            project.warn(format_args!("`{name}`, which `{}` needs, failed", task.name));
            return Ok(rendered);
        }
    }
    let args = matches.get_many::<String>(ARGS).into_iter().flatten().cloned().collect();
    Rendered::from_outcome(&project.run(&RunTask { name: task.name.clone(), args })?)
}

/// What must run before a task, each once, in order.
fn order(project: &Project, task: &str) -> Result<Vec<String>> {
    fn visit(project: &Project, name: &str, path: &mut Vec<String>, order: &mut Vec<String>) -> Result<()> {
        if path.iter().any(|open| open == name) {
            return Err(Error::new(
                Exit::Config,
                format!("the tasks depend on each other in a cycle: {} -> {name}", path.join(" -> ")),
            ));
        }
        let Some(task) = project.config().tasks.get(name) else { return Ok(()) };
        path.push(name.to_owned());
        for need in &task.needs {
            if commands::find(need).is_none() && !project.config().tasks.contains_key(need) {
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
