//! Detecting published ports that are already taken.

use std::collections::BTreeSet;

use crate::compose;
use crate::compose::container::{Container, Status};
use crate::compose::engine::Engine;
use crate::compose::model::{Port, Service};
use crate::compose::ports::Taken;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

/// The published ports of services that are not running and whose port is taken: service, port and holder.
pub(crate) fn taken<'s>(
    project: &'s Project,
    services: impl Iterator<Item = (&'s str, &'s Service)>,
    containers: &'s [Container],
) -> impl Iterator<Item = (&'s str, &'s Port, Taken)> {
    let runs = |name: &str| {
        containers.iter().any(|container| container.service == name && container.status == Status::Running)
    };
    services
        .filter(move |(name, _)| !runs(name))
        .flat_map(|(name, service)| service.ports.iter().map(move |port| (name, port)))
        .filter_map(|(name, port)| Some((name, port, compose::taken(project.compose(), project.runner(), port)?)))
}

/// Returns an error if a port of a service that is not running is taken. Ports of a remote engine cannot be checked.
pub(super) fn refuse_taken(project: &Project, services: &BTreeSet<String>, containers: &[Container]) -> Result<()> {
    if Engine::is_remote() {
        return Ok(());
    }
    let wanted = project.model()?.services.iter().filter(|(name, _)| services.contains(*name));
    let wanted = wanted.map(|(name, service)| (name.as_str(), service));
    let Some((name, published, Taken { port, holder })) = taken(project, wanted, containers).next() else {
        return Ok(());
    };
    let hint = remedy(project, name, port, published.target, None);
    Err(Error::new(Exit::Failed, format!("port {port} of service `{name}` is taken by {holder}"))
        .with_hint(format!("{hint}; nothing was started")))
}

/// What to do about a port that is taken, with a free one if it is known. `setup` can move only one that is a variable.
pub(crate) fn remedy(project: &Project, service: &str, port: u16, target: u16, free: Option<u16>) -> String {
    if let Some(variable) = project.sources().port_variable(service, target) {
        let file = &project.environment().own_env_file;
        let file = file.strip_prefix(project.root()).unwrap_or(file);
        let free = free.map(|free| format!("={free}")).unwrap_or_default();
        format!("stop that, or set {variable}{free} in {file}; `cargo xtask setup` finds a free port by itself")
    } else {
        let name = service.to_uppercase().replace(['-', '.'], "_");
        let written = format!("\"${{{name}_PORT:-{port}}}:{target}\"");
        format!("stop that, or make the port a variable in the compose file: {written}")
    }
}
