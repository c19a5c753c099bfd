//! What can be known to go wrong before anything is started.

use std::collections::BTreeSet;

use crate::compose::{self, Container, Engine, Status};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

/// Compose only warns about a variable that is not set, and goes on with an empty text. What services that are off
/// would need is no concern of this start.
pub(super) fn require_variables(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let mut unset = project.model()?.unset.clone();
    if unset.is_empty() {
        return Ok(());
    }
    let raw = project.compose().raw_model(project.runner())?;
    unset.retain(|variable| services.iter().any(|service| raw.uses(service, variable)));
    let Some(first) = unset.first() else { return Ok(()) };
    let file = &project.environment().own_env_file;
    let hint = format!("set them in {file}, or give them a default in the compose file: ${{{first}:-}}");
    let message = format!("the compose files use variables that are set nowhere: {}", unset.join(", "));
    Err(Error::new(Exit::Config, message).with_hint(hint))
}

/// A taken port is known before anything is started.
pub(super) fn refuse_taken_ports(project: &Project, services: &BTreeSet<String>, before: &[Container]) -> Result<()> {
    if Engine::is_remote() {
        return Ok(());
    }
    let model = project.model()?;
    for (name, service) in model.services.iter().filter(|(name, _)| services.contains(*name)) {
        if before.iter().any(|container| container.service == *name && container.status == Status::Running) {
            continue;
        }
        if let Some(taken) =
            service.ports.iter().find_map(|port| compose::taken(project.compose(), project.runner(), port))
        {
            return Err(Error::new(Exit::Failed, format!("port {} of service `{name}` is taken by {}", taken.port, taken.holder)).with_hint(
                "stop that, or choose another port in the env file; `cargo xtask setup` finds a free one by itself; nothing was started",
            ));
        }
    }
    Ok(())
}
