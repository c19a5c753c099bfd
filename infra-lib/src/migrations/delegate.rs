//! The project's own tool, where `infra.toml` says how it is called.

use crate::error::Result;
use crate::exec::Invocation;
use crate::project::Project;

/// Runs a command of `[migrations]` in its service, or on this machine. `false`: the service cannot run here.
pub(crate) fn run(project: &Project, service: Option<&str>, command: &[String], source: &str) -> Result<bool> {
    let Some((program, args)) = command.split_first() else { return Ok(false) };
    let call = match service {
        Some(_) if !project.has_services() => return Ok(false),
        Some(service) => {
            project.running(service)?;
            project.compose().call(["exec", "-T"]).arg(service).args(command)
        }
        None => Invocation::new(program.clone()).args(args).dir(project.root()),
    };
    project.step(format_args!("running `{}`", command.join(" ")));
    project.runner().change(&call.relay(source))?;
    Ok(true)
}
