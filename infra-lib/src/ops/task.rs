//! A task of `[tasks]` in `infra.toml`.

use std::fmt;

use serde::Serialize;

use crate::config::Task;
use crate::exec::{Invocation, at_terminal};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::stack::dependencies;
use crate::volumes::heal_before_start;

/// Run one of the project's own commands in the caller's terminal. What it needs must have run before.
#[derive(Debug, Clone, Default)]
pub struct RunTask {
    /// The task's name in `[tasks]` of infra.toml.
    pub name: String,
    /// Arguments to append to the task's `run`.
    pub args: Vec<String>,
}

/// How a task ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TaskReport {
    /// The name of the task that ran.
    pub task: String,
    /// The exit code of its program; 0 for a task that only needs others.
    pub exit_code: u8,
}

impl Operation for RunTask {
    const NAME: &'static str = "task";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = TaskReport;

    fn run(&self, project: &Project) -> Result<TaskReport> {
        let task = project
            .config()
            .tasks
            .get(&self.name)
            .ok_or_else(|| Error::new(Exit::NotFound, format!("unknown task `{}`", self.name)))?;
        if task.run.is_empty() && !task.needs.is_empty() {
            // A name for others, which have run by now.
            return Ok(TaskReport { task: self.name.clone(), exit_code: 0 });
        }
        // For a one-off Compose makes every volume that the files name, and leaves no container to tell whose they are.
        let _volumes = task.oneoff.as_ref().map(|_| project.watch_volumes()).transpose()?;
        let call = invocation(project, &self.name, task)?.args(self.args.iter().cloned());
        let code = project.runner().interactive(&call)?;
        Ok(TaskReport { task: self.name.clone(), exit_code: u8::try_from(code).unwrap_or(1) })
    }
}

fn invocation(project: &Project, name: &str, task: &Task) -> Result<Invocation> {
    let wrong = |what: &str| Error::new(Exit::Config, format!("task `{name}` in infra.toml {what}"));
    let (program, args) = task.run.split_first().ok_or_else(|| wrong("has no `run`"))?;
    let no_tty: &[&str] = if at_terminal() { &[] } else { &["-T"] };
    match (&task.service, &task.oneoff, task.host) {
        (Some(service), None, false) => {
            project.running(service)?;
            Ok(project.compose().call(["exec"]).args(no_tty).arg(service).args(&task.run))
        }
        (None, Some(service), false) => {
            project.known_service(service)?;
            heal_before_start(project, RunTask::NAME)?;
            dependencies::start(project, service, RunTask::NAME)?;
            // `run` alone takes a stale image as it is; with everything cached, building takes half a second.
            let is_built = project.model()?.services.get(service).is_some_and(|service| service.build.is_some());
            let build: &[&str] = if is_built { &["--build"] } else { &[] };
            Ok(project
                .compose()
                .call_all(["run", "--rm", "--no-deps"])
                .args(build)
                .args(no_tty)
                .arg(service)
                .args(&task.run))
        }
        (None, None, true) => {
            let dir = task.dir.as_ref().map_or_else(|| project.root().to_owned(), |dir| project.root().join(dir));
            Ok(Invocation::new(program.clone()).args(args).dir(dir))
        }
        _ => Err(wrong("needs exactly one of `service`, `oneoff` and `host = true`")),
    }
}

impl Outcome for TaskReport {
    fn exit(&self) -> Exit {
        match self.exit_code {
            0 => Exit::Ok,
            code => Exit::Child(code),
        }
    }
}

impl fmt::Display for TaskReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It has spoken for itself.
        Ok(())
    }
}
