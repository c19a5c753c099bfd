//! Letting the project's own tool do it.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;

use super::backup::safety_backup;
use super::guard;
use super::own_tool::OwnTool;

/// What was done by another program.
#[derive(Debug)]
pub(crate) struct Delegated {
    /// Its command.
    pub(crate) command: String,
    pub(crate) backup: Option<Utf8PathBuf>,
}

/// Lets the tool apply what is pending, with the same guards as for our own.
pub(crate) fn up(project: &Project, tool: &OwnTool) -> Result<Delegated> {
    let command = tool.up.join(" ");
    guard::agree(project, vec![format!("`{command}`")])?;
    let backup = safety_backup(project)?;
    require(project, tool, &tool.up)?;
    Ok(Delegated { command, backup })
}

/// Lets it revert the last one.
pub(crate) fn down(project: &Project, tool: &OwnTool) -> Result<Delegated> {
    let command = tool.down.join(" ");
    if tool.down.is_empty() {
        return Err(Error::new(Exit::Config, "`[migrations] down` in infra.toml says no command")
            .with_hint("the project's own tool migrates; state how it reverts: `down = […]`"));
    }
    project
        .consent(&project.destruction("db-migrate", vec![format!("what the last migration made, by `{command}`")]))?;
    let backup = safety_backup(project)?;
    require(project, tool, &tool.down)?;
    Ok(Delegated { command, backup })
}

fn require(project: &Project, tool: &OwnTool, command: &[String]) -> Result<()> {
    if run(project, tool.service.as_deref(), command, "migrate")? {
        return Ok(());
    }
    let (line, service) = (command.join(" "), tool.service.as_deref().unwrap_or_default());
    Err(Error::new(Exit::Unavailable, format!("`{line}` runs in the service {service}, and services do not run here")))
}

/// What the tool prints about what is pending, and whether it found everything applied.
pub(crate) fn status(project: &Project, tool: &OwnTool) -> Result<(Vec<String>, bool)> {
    let Some(call) = invocation(project, tool.service.as_deref(), &tool.status)? else {
        return Err(Error::new(Exit::Config, "`[migrations] status` in infra.toml says no command")
            .with_hint("the project's own tool migrates; state how it says what is pending: `status = […]`"));
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

/// Runs a command in its service, or on this machine. `false`: the service cannot run here.
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
