//! Published ports that another process uses.

use std::collections::BTreeSet;

use crate::compose::{self, Container, Engine, Model};
use crate::probe::{Check, Snapshot};
use crate::project::Project;
use crate::stack;

const KIND: &str = "port";

/// A port that a service needs and another process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The service that publishes it.
    pub(crate) service: String,
    /// The port on this machine.
    pub(crate) port: u16,
    /// A description of the current holder.
    pub(crate) holder: String,
    /// The variable that the compose file takes the port from, if it does.
    pub(crate) variable: Option<String>,
    /// A free one nearby.
    pub(crate) free: Option<u16>,
    /// What to do about it.
    pub(crate) remedy: String,
}

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let (Some(model), Some(containers)) = (snapshot.model(), &snapshot.containers) else { return Vec::new() };
    if Engine::is_remote() {
        return vec![Check::skip(KIND, "published", "the engine is on another machine")];
    }
    let conflicts = conflicts(snapshot.project, model, containers);
    if conflicts.is_empty() {
        let ports = snapshot.services.values().flat_map(|service| &service.ports);
        let count = ports.filter_map(compose::Port::host_port).count();
        return vec![Check::ok(KIND, "published", format!("{count} are free or this project's own"))];
    }
    conflicts.iter().map(Conflict::check).collect()
}

/// The published ports of enabled services that are not running, if another process uses them. Several services that
/// want the same port are a conflict too.
pub(crate) fn conflicts(project: &Project, model: &Model, containers: &[Container]) -> Vec<Conflict> {
    let active = model.active(&project.environment().profiles);
    let mut wanted: BTreeSet<u16> =
        model.services.values().flat_map(|service| &service.ports).filter_map(compose::Port::host_port).collect();
    let mut conflicts = Vec::new();
    for (name, port, taken) in stack::ports::taken(project, active.into_iter(), containers) {
        let free = free_near(port.host_ip.as_deref().unwrap_or_default(), taken.port, &wanted);
        wanted.extend(free);
        conflicts.push(Conflict {
            service: name.to_owned(),
            port: taken.port,
            holder: taken.holder,
            variable: project.sources().port_variable(name, port.target),
            free,
            remedy: stack::ports::remedy(project, name, taken.port, port.target, free),
        });
    }
    conflicts
}

/// The next port that is free and that no service publishes.
pub(crate) fn free_near(ip: &str, port: u16, wanted: &BTreeSet<u16>) -> Option<u16> {
    let from = if port < 1024 { port.saturating_add(8000) } else { port.saturating_add(1) };
    (from..=from.saturating_add(500)).find(|port| !wanted.contains(port) && compose::is_free(ip, *port))
}

impl Conflict {
    fn check(&self) -> Check {
        Check::fail(KIND, &self.service, format!("port {} is taken by {}", self.port, self.holder))
            .with_hint(&self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_one_that_nobody_has_or_wants() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = free_near("127.0.0.1", taken - 1, &BTreeSet::new()).unwrap();
        assert!(free > taken, "{free} is not {taken}");
        assert!(free_near("127.0.0.1", taken - 1, &BTreeSet::from([free])).unwrap() > free);
    }
}
