//! `tasks`

use std::fmt;

use serde::Serialize;

use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::table;

/// List the project's own commands.
///
/// They are defined in `[tasks]` of infra.toml and run as `cargo xtask NAME`.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Tasks {}

/// The project's own commands.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TaskList {
    /// In the order of their names.
    pub tasks: Vec<TaskSummary>,
}

/// A task of `[tasks]` in infra.toml.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TaskSummary {
    /// The task's name, as typed after `cargo xtask`.
    pub name: String,
    /// What it is for, or what it runs.
    pub summary: String,
    /// Where it runs: `in SERVICE`, `in a new SERVICE` or `on this machine`.
    pub place: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Operations and tasks that run before it.
    pub needs: Vec<String>,
}

impl Operation for Tasks {
    const NAME: &'static str = "tasks";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = TaskList;

    fn run(&self, project: &Project) -> Result<TaskList> {
        let tasks = project.config().tasks.iter().map(|(name, task)| TaskSummary {
            name: name.clone(),
            summary: task.summary(),
            place: task.place(),
            run: task.run.clone(),
            needs: task.needs.clone(),
        });
        Ok(TaskList { tasks: tasks.collect() })
    }
}

impl Outcome for TaskList {}

impl fmt::Display for TaskList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tasks.is_empty() {
            return f.write_str("this project has no tasks; define them as `[tasks.NAME]` in infra.toml");
        }
        let rows = self.tasks.iter().map(|task| {
            [
                task.name.clone(),
                task.place.clone(),
                shlex::try_join(task.run.iter().map(String::as_str)).unwrap_or_default(),
                task.needs.join(", "),
            ]
        });
        f.write_str(&table(["TASK", "WHERE", "COMMAND", "NEEDS"], rows))
    }
}
