//! Runs the project's own migration tool.

use camino::Utf8PathBuf;

use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::guard;
use super::own_tool::OwnTool;
use super::up::Wanted;
use crate::backup::safety::safety_backup;

/// A migration run by another program.
#[derive(Debug)]
pub(crate) struct Delegated {
    /// The command that ran.
    pub(crate) command: String,
    pub(crate) backup: Option<Utf8PathBuf>,
}

/// Applies pending migrations with the project's tool, with the same guards as the native migrations.
pub(crate) fn up(project: &Project, tool: &OwnTool, wanted: &Wanted) -> Result<Delegated> {
    let command = tool.up.join(" ");
    whole(wanted, &command)?;
    let _held = guard::lock(project, "db-migrate", wanted.patience)?;
    guard::agree(project, vec![format!("`{command}`")])?;
    let backup = safety_backup(project)?;
    require(project, tool, &tool.up)?;
    Ok(Delegated { command, backup })
}

/// Reverts the last migration with the project's tool.
pub(crate) fn down(project: &Project, tool: &OwnTool, wanted: &Wanted) -> Result<Delegated> {
    let command = tool.down.join(" ");
    if tool.down.is_empty() {
        return Err(Error::new(Exit::Config, "`[migrations] down` in infra.toml is not set")
            .with_hint("set the command with which the project's own tool reverts: `down = […]`"));
    }
    whole(wanted, &command)?;
    let _held = guard::lock(project, "db-migrate", wanted.patience)?;
    project
        .consent(&project.destruction("db-migrate", vec![format!("what the last migration made, by `{command}`")]))?;
    let backup = safety_backup(project)?;
    require(project, tool, &tool.down)?;
    Ok(Delegated { command, backup })
}

/// An error if the caller asked for limits: the project's own commands accept none.
fn whole(wanted: &Wanted, command: &str) -> Result<()> {
    if wanted.to.is_none() && wanted.steps.is_none() {
        return Ok(());
    }
    Err(Error::new(Exit::Usage, format!("--to and --steps cannot be passed on to `{command}`"))
        .with_hint("run it yourself, or omit them"))
}

fn require(project: &Project, tool: &OwnTool, command: &[String]) -> Result<()> {
    if run(project, tool.service.as_deref(), command, "migrate")? {
        return Ok(());
    }
    let (line, service) = (command.join(" "), tool.service.as_deref().unwrap_or_default());
    Err(Error::new(Exit::Unavailable, format!("`{line}` runs in the service {service}, and no services run here")))
}

/// The tool's output about pending migrations, and whether it reports that all are applied.
pub(crate) fn status(project: &Project, tool: &OwnTool) -> Result<(Vec<String>, bool)> {
    let Some(call) = invocation(project, tool.service.as_deref(), &tool.status)? else {
        return Err(Error::new(Exit::Config, "`[migrations] status` in infra.toml is not set").with_hint(
            "set the command with which the project's own tool reports pending migrations: `status = […]`",
        ));
    };
    let mut lines = Vec::new();
    let ended = project.runner().lines(&call, |_, line| {
        lines.push(line.to_owned());
        Ok(())
    });
    match ended {
        Ok(()) => Ok((lines, true)),
        Err(crate::exec::ExecError::Exited { .. }) => Ok((lines, false)),
        Err(error) => Err(error.into()),
    }
}

/// Runs a command in its service or on this machine. Returns `false` if the service cannot run here.
pub(crate) fn run(project: &Project, service: Option<&str>, command: &[String], source: &str) -> Result<bool> {
    let Some(call) = invocation(project, service, command)? else { return Ok(false) };
    project.step(format_args!("running `{}`", command.join(" ")));
    project.runner().change(&call.relay(source))?;
    Ok(true)
}

fn invocation(project: &Project, service: Option<&str>, command: &[String]) -> Result<Option<Invocation>> {
    let Some((program, args)) = command.split_first() else { return Ok(None) };
    Ok(match service {
        Some(_) if !project.has_services() => None,
        Some(service) => {
            project.running(service)?;
            Some(project.compose().call(["exec", "-T"]).arg(service).args(command))
        }
        None => Some(Invocation::new(program.clone()).args(args).dir(project.root())),
    })
}
