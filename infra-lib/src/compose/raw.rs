//! A project before its variables are filled in.

use serde_json::Value;

use crate::exec::{ExecError, Runner};

use super::{Compose, ComposeError};

/// The resolved files with `${…}` still in them: says which variable something comes from.
#[derive(Debug)]
pub(crate) struct RawModel(Value);

impl Compose {
    pub(crate) fn raw_model(&self, runner: &Runner) -> Result<RawModel, ComposeError> {
        let output = self.read(runner, &self.call_all(["config", "--no-interpolate", "--format", "json"]))?;
        let value = serde_json::from_slice(&output.stdout).map_err(|error| {
            self.explain(ExecError::BadOutput {
                command: "docker compose config".to_owned(),
                reason: error.to_string(),
            })
        })?;
        Ok(RawModel(value))
    }
}

impl RawModel {
    /// Whether each service has an image or a build: the files are a project, and not only a part of one.
    pub(crate) fn is_complete(&self) -> bool {
        let services = self.0.get("services").and_then(Value::as_object);
        let mut services = services.into_iter().flat_map(|services| services.values());
        services.all(|service| service.get("image").or_else(|| service.get("build")).is_some())
    }

    /// Whether a service uses a variable.
    pub(crate) fn uses(&self, service: &str, variable: &str) -> bool {
        self.0.get("services").and_then(|services| services.get(service)).is_some_and(|value| mentions(value, variable))
    }

    /// The variable that a service publishes a port by, such as `WEB_PORT` in `${WEB_PORT:-8080}:80`.
    pub(crate) fn port_variable(&self, service: &str, target: u16) -> Option<String> {
        let ports = self.0.get("services")?.get(service)?.get("ports")?.as_array()?;
        ports.iter().find_map(|port| {
            let (published, inside) = match port {
                Value::String(text) => {
                    text.rsplit_once(':').map(|(host, inside)| (host.to_owned(), inside.to_owned()))?
                }
                Value::Object(fields) => (text(fields.get("published")?), text(fields.get("target")?)),
                _ => return None,
            };
            (inside.split('/').next()? == target.to_string()).then(|| last_variable(&published))?
        })
    }

    /// The variable that a network's subnet comes from, such as `NET` in `${NET:-172.28.0.0/16}`; which one of several by
    /// its place.
    pub(crate) fn subnet_variable(&self, network: &str, index: usize) -> Option<String> {
        let ranges = self.0.get("networks")?.get(network)?.get("ipam")?.get("config")?.as_array()?;
        last_variable(ranges.get(index)?.get("subnet")?.as_str()?)
    }
}

/// The last variable that does not stand in another one's default: before the port there may be an address.
fn last_variable(text: &str) -> Option<String> {
    let (mut depth, mut found) = (0, None);
    for (at, c) in text.char_indices() {
        match c {
            '$' if depth == 0 => {
                let name = text[at + 1..].trim_start_matches('{');
                let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
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

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn mentions(value: &Value, variable: &str) -> bool {
    match value {
        Value::String(text) => text.match_indices(variable).any(|(at, _)| {
            let before = text[..at].trim_end_matches('{');
            before.ends_with('$') && !text[at + variable.len()..].starts_with(is_name)
        }),
        Value::Array(items) => items.iter().any(|item| mentions(item, variable)),
        Value::Object(map) => map.values().any(|value| mentions(value, variable)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_a_published_port_is_found_in_each_spelling() {
        let raw = RawModel(serde_json::json!({"services": {"db": {"ports": [
            "127.0.0.1:${METRICS_PORT:-9187}:9187",
            {"published": "${DB_PORT:-5432}", "target": 5432},
            {"published": "${BIND:-127.0.0.1}:${TWICE}", "target": "80"},
            "8080:8080",
            "${IP:-0.0.0.0}:$PLAIN:81/tcp",
            "${OUTER:-${INNER:-82}}:82",
        ]}}}));
        let of = |target| raw.port_variable("db", target);
        assert_eq!(of(9187).as_deref(), Some("METRICS_PORT"));
        assert_eq!(of(5432).as_deref(), Some("DB_PORT"));
        assert_eq!(of(80).as_deref(), Some("TWICE"));
        assert_eq!(of(81).as_deref(), Some("PLAIN"));
        assert_eq!(of(82).as_deref(), Some("OUTER"));
        assert_eq!(of(8080), None);
    }

    #[test]
    fn the_variable_of_a_subnet_is_found() {
        let config = serde_json::json!([{"subnet": "fd00::/64"}, {"subnet": "${NET:-172.28.0.0/16}"}]);
        let raw = RawModel(serde_json::json!({"networks": {"back": {"ipam": {"config": config}}}}));
        assert_eq!(raw.subnet_variable("back", 1).as_deref(), Some("NET"));
        assert_eq!((raw.subnet_variable("back", 0), raw.subnet_variable("front", 0)), (None, None));
    }

    #[test]
    fn a_variable_is_told_from_one_whose_name_only_begins_alike() {
        let raw =
            RawModel(serde_json::json!({"services": {"web": {"image": "web:${TAG}", "ports": ["$PLAIN:81/tcp"]}}}));
        assert!(raw.uses("web", "TAG") && raw.uses("web", "PLAIN"));
        assert!(!raw.uses("web", "TA") && !raw.uses("web", "WEB") && !raw.uses("db", "TAG"));
    }
}
