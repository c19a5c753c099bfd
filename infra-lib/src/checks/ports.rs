//! Published ports that somebody else has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compose::{self, Container, Engine, Model, Status};
use crate::probe::Check;
use crate::project::Project;

use super::Scene;

const KIND: &str = "port";

/// A port that a service wants and somebody else has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The service.
    pub(crate) service: String,
    /// The port on this machine.
    pub(crate) port: u16,
    /// The port in the container.
    pub(crate) target: u16,
    /// Who has it, in words.
    pub(crate) holder: String,
    /// The variable that the compose file takes the port from, if it does.
    pub(crate) variable: Option<String>,
    /// A free one nearby.
    pub(crate) free: Option<u16>,
}

pub(super) fn look(scene: &Scene<'_>) -> Vec<Check> {
    let Some(model) = scene.model else { return Vec::new() };
    if Engine::is_remote() {
        return vec![Check::skip(KIND, "published", "the engine is on another machine")];
    }
    let conflicts = conflicts(scene.project, model, scene.containers);
    if conflicts.is_empty() {
        let count =
            scene.active().values().flat_map(|service| &service.ports).filter_map(compose::Port::host_port).count();
        return vec![Check::ok(KIND, "published", format!("{count} ports are free or this project's own"))];
    }
    conflicts.iter().map(Conflict::check).collect()
}

/// The published ports of services that are on and not running, as far as somebody else has them. Several services that
/// want the same port are a conflict too.
pub(crate) fn conflicts(project: &Project, model: &Model, containers: &[Container]) -> Vec<Conflict> {
    let runs = |service: &str| {
        containers.iter().any(|container| container.service == service && container.status == Status::Running)
    };
    let active = model.active(&project.environment().profiles);
    let mut wanted: BTreeSet<u16> =
        model.services.values().flat_map(|service| &service.ports).filter_map(compose::Port::host_port).collect();
    let mut raw = None;
    let mut conflicts = Vec::new();
    for (name, service) in active.into_iter().filter(|(name, _)| !runs(name)) {
        for port in &service.ports {
            let Some(taken) = compose::taken(project.compose(), project.runner(), port) else { continue };
            let raw = raw.get_or_insert_with(|| uninterpolated(project));
            let free = free_near(port.host_ip.as_deref().unwrap_or_default(), taken.port, &wanted);
            wanted.extend(free);
            conflicts.push(Conflict {
                service: name.to_owned(),
                port: taken.port,
                target: port.target,
                holder: taken.holder,
                variable: raw.as_ref().and_then(|raw| variable(raw, name, port.target)),
                free,
            });
        }
    }
    conflicts
}

/// The next port that nobody has and that no service wants.
pub(crate) fn free_near(ip: &str, port: u16, wanted: &BTreeSet<u16>) -> Option<u16> {
    let from = if port < 1024 { port.saturating_add(8000) } else { port.saturating_add(1) };
    (from..=from.saturating_add(500)).find(|port| !wanted.contains(port) && compose::is_free(ip, *port))
}

/// The compose files as written, with their variables.
fn uninterpolated(project: &Project) -> Option<Value> {
    let call = project.compose().call_all(["config", "--no-interpolate", "--format", "json"]);
    let output = project.runner().read(&call).ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// The variable that the published side of a service's port is.
fn variable(raw: &Value, service: &str, target: u16) -> Option<String> {
    let ports = raw.pointer(&format!("/services/{service}/ports"))?.as_array()?;
    ports.iter().find_map(|port| {
        let (published, inside) = match port {
            Value::String(text) => text.rsplit_once(':').map(|(host, inside)| (host.to_owned(), inside.to_owned()))?,
            Value::Object(fields) => (text(fields.get("published")?), text(fields.get("target")?)),
            _ => return None,
        };
        if inside.split('/').next()? != target.to_string() {
            return None;
        }
        last_variable(&published)
    })
}

/// The last variable that does not stand in another one's default: before the port there may be an address.
fn last_variable(text: &str) -> Option<String> {
    let (mut depth, mut found) = (0, None);
    for (at, c) in text.char_indices() {
        match c {
            '$' if depth == 0 => {
                let name = text[at + 1..].trim_start_matches('{');
                let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
                found = (end > 0).then(|| name[..end].to_owned());
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Conflict {
    fn check(&self) -> Check {
        let other = match (&self.variable, self.free) {
            (Some(variable), Some(free)) => format!("set {variable}={free} in the env file"),
            (None, Some(free)) => format!("publish it elsewhere in the compose file: {free} is free"),
            (_, None) => "publish it elsewhere".to_owned(),
        };
        Check::fail(KIND, &self.service, format!("port {} is taken by {}", self.port, self.holder))
            .with_hint(format!("stop that, or {other}; `cargo xtask setup` does it by itself"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_a_published_port_is_found_in_each_spelling() {
        let raw = serde_json::json!({"services": {"db": {"ports": [
            "127.0.0.1:${METRICS_PORT:-9187}:9187",
            {"published": "${DB_PORT:-5432}", "target": 5432},
            {"published": "${BIND:-127.0.0.1}:${TWICE}", "target": "80"},
            "8080:8080",
            "${IP:-0.0.0.0}:$PLAIN:81/tcp",
            "${OUTER:-${INNER:-82}}:82",
        ]}}});
        let of = |target| variable(&raw, "db", target);
        assert_eq!(of(9187).as_deref(), Some("METRICS_PORT"));
        assert_eq!(of(5432).as_deref(), Some("DB_PORT"));
        assert_eq!(of(80).as_deref(), Some("TWICE"));
        assert_eq!(of(81).as_deref(), Some("PLAIN"));
        assert_eq!(of(82).as_deref(), Some("OUTER"));
        assert_eq!(of(8080), None);
    }

    #[test]
    fn a_free_port_is_one_that_nobody_has_or_wants() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = free_near("127.0.0.1", taken - 1, &BTreeSet::new()).unwrap();
        assert!(free > taken, "{free} is not {taken}");
        assert!(free_near("127.0.0.1", taken - 1, &BTreeSet::from([free])).unwrap() > free);
    }
}
