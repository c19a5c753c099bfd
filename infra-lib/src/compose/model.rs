//! A project as `docker compose config --format json` resolves it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Services, networks and volumes after interpolation, merging and normalisation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Model {
    /// The project's name.
    pub name: String,
    /// The services of all profiles.
    #[serde(deserialize_with = "map")]
    pub services: BTreeMap<String, Service>,
    /// The volumes by the name that the file uses.
    #[serde(deserialize_with = "map")]
    pub volumes: BTreeMap<String, Volume>,
    /// The networks by the name that the file uses.
    #[serde(deserialize_with = "map")]
    pub networks: BTreeMap<String, Network>,
    /// The secrets by name.
    #[serde(deserialize_with = "map")]
    pub secrets: BTreeMap<String, SecretFile>,
    /// Variables that the files use and that are set nowhere; Compose only warns about them.
    #[serde(skip)]
    pub unset: Vec<String>,
}

/// A service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Service {
    /// The image that it runs, or that its build makes.
    pub image: Option<String>,
    /// How its image is built.
    pub build: Option<Build>,
    /// The profiles that it belongs to; none: it is always on.
    #[serde(deserialize_with = "list")]
    pub profiles: Vec<String>,
    /// Its published ports.
    #[serde(deserialize_with = "list")]
    pub ports: Vec<Port>,
    /// How its health is judged.
    pub healthcheck: Option<HealthCheck>,
    /// What must be there before it.
    #[serde(deserialize_with = "map")]
    pub depends_on: BTreeMap<String, Dependency>,
    /// What is mounted.
    #[serde(deserialize_with = "list")]
    pub volumes: Vec<Mount>,
    /// Its environment; a variable without a value is `None`.
    #[serde(deserialize_with = "map")]
    pub environment: BTreeMap<String, Option<String>>,
    /// The networks that it is on.
    #[serde(deserialize_with = "map")]
    pub networks: BTreeMap<String, Value>,
    /// Restart policy.
    pub restart: Option<String>,
    /// A fixed name of its container.
    pub container_name: Option<String>,
    /// Limits, reservations, replicas.
    pub deploy: Value,
    /// The user that it runs as.
    pub user: Option<String>,
    /// Everything else, as Compose says it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// `build:`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Build {
    /// The folder that is sent to the builder.
    pub context: Option<String>,
    /// The Dockerfile, relative to it.
    pub dockerfile: Option<String>,
    /// The stage that is built.
    pub target: Option<String>,
    /// Build arguments; one without a value comes from the caller's environment.
    #[serde(deserialize_with = "map")]
    pub args: BTreeMap<String, Option<String>>,
    /// Folders, repositories and images that its Dockerfile knows by these names.
    #[serde(deserialize_with = "map")]
    pub additional_contexts: BTreeMap<String, String>,
}

/// A port of a service, published or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Port {
    /// The address on the host; none: every address.
    pub host_ip: Option<String>,
    /// The port in the container.
    pub target: u16,
    /// The port on the host, or a range of them.
    pub published: Option<String>,
    /// `tcp` or `udp`.
    pub protocol: String,
}

impl Port {
    /// The port on the host, where it is one and fixed.
    pub fn host_port(&self) -> Option<u16> {
        self.published.as_deref()?.parse().ok().filter(|&port| port != 0)
    }

    /// Whether every address of the host offers it.
    pub fn is_public(&self) -> bool {
        self.published.is_some() && self.host_ip.as_deref().is_none_or(|ip| matches!(ip, "" | "0.0.0.0" | "::"))
    }
}

/// `healthcheck:`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HealthCheck {
    /// Whether the image's own check is switched off.
    pub disable: bool,
    /// The command.
    pub test: Value,
    /// How often it is asked while the container starts; engines before 25 refuse it.
    pub start_interval: Option<String>,
}

/// An entry of `depends_on`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Dependency {
    /// When the dependency counts as there.
    pub condition: Condition,
    /// Whether it must be there at all.
    pub required: bool,
    /// Whether a restart of it restarts the dependent too.
    pub restart: bool,
}

/// When a dependency counts as there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Condition {
    /// Its container runs.
    #[default]
    #[serde(rename = "service_started")]
    Started,
    /// Its health check says so.
    #[serde(rename = "service_healthy")]
    Healthy,
    /// It has ended with zero.
    #[serde(rename = "service_completed_successfully")]
    Completed,
}

/// An entry of a service's `volumes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Mount {
    /// `volume`, `bind` or `tmpfs`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The volume's name in the file, or the path on the host.
    pub source: Option<String>,
    /// Where it is mounted.
    pub target: String,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// A volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Volume {
    /// Its name on the engine.
    pub name: String,
    /// Whether somebody else owns it.
    pub external: bool,
}

/// A network.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Network {
    /// Its name on the engine.
    pub name: String,
    /// Whether somebody else owns it.
    pub external: bool,
    /// Whether it cannot reach out.
    pub internal: bool,
    /// Its addresses.
    pub ipam: Value,
}

impl Network {
    /// The subnets that the file asks for.
    pub fn subnets(&self) -> Vec<String> {
        let config = self.ipam.get("config").and_then(Value::as_array).into_iter().flatten();
        config.filter_map(|entry| entry.get("subnet")?.as_str().map(str::to_owned)).collect()
    }
}

/// An entry of top-level `secrets`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecretFile {
    /// The file that holds it.
    pub file: Option<Utf8PathBuf>,
    /// The variable that holds it.
    pub environment: Option<String>,
}

impl Model {
    /// Reads what Compose printed. It writes `$` as `$$`, so that its output can be its input again; that is undone.
    pub fn parse(json: &[u8]) -> serde_json::Result<Self> {
        let mut value: Value = serde_json::from_slice(json)?;
        undouble(&mut value);
        serde_json::from_value(value)
    }

    /// Notes the variables that Compose warned about: `The \"X\" variable is not set. Defaulting to a blank string.`
    pub(super) fn note_unset(&mut self, stderr: &str) {
        let names = stderr.lines().filter(|line| line.contains("variable is not set")).filter_map(|line| {
            let (_, name) = line.split_once("The ")?;
            let name = name.trim_start_matches(['\\', '"']);
            Some(name[..name.find(['\\', '"'])?].to_owned())
        });
        self.unset = names.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    }

    /// The services that run when these profiles are on, with what they depend on.
    pub fn active(&self, profiles: &[String]) -> BTreeMap<&str, &Service> {
        let is_on = |service: &Service| {
            service.profiles.is_empty() || service.profiles.iter().any(|profile| profiles.contains(profile))
        };
        self.with_dependencies(
            self.services.iter().filter(|(_, service)| is_on(service)).map(|(name, _)| name.as_str()),
        )
    }

    /// These services, with what they depend on.
    pub fn with_dependencies<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeMap<&str, &Service> {
        let mut found = BTreeMap::new();
        let mut queue: Vec<_> = names.into_iter().filter_map(|name| self.services.get_key_value(name)).collect();
        while let Some((name, service)) = queue.pop() {
            if found.insert(name.as_str(), service).is_none() {
                queue.extend(service.depends_on.keys().filter_map(|name| self.services.get_key_value(name)));
            }
        }
        found
    }

    /// The services in an order in which each comes after what it depends on.
    pub fn dependency_order(&self) -> Vec<&str> {
        fn visit<'a>(model: &'a Model, name: &'a str, order: &mut Vec<&'a str>, open: &mut Vec<&'a str>) {
            if order.contains(&name) || open.contains(&name) {
                return;
            }
            open.push(name);
            for dependency in model.services.get(name).iter().flat_map(|service| service.depends_on.keys()) {
                visit(model, dependency, order, open);
            }
            open.pop();
            order.push(name);
        }
        let mut order = Vec::new();
        for name in self.services.keys() {
            visit(self, name, &mut order, &mut Vec::new());
        }
        order
    }

    /// The profiles that any service names.
    pub fn profiles(&self) -> std::collections::BTreeSet<&str> {
        self.services.values().flat_map(|service| &service.profiles).map(String::as_str).collect()
    }
}

fn undouble(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("$$") => *text = text.replace("$$", "$"),
        Value::Array(items) => items.iter_mut().for_each(undouble),
        Value::Object(map) => map.values_mut().for_each(undouble),
        _ => {}
    }
}

/// Compose prints `null` where nothing is stated.
fn map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = r#"{"name":"shop","services":{
        "web":{"image":"web","depends_on":{"db":{"condition":"service_healthy","required":true}},"environment":{"A":"a$$b","B":null}},
        "db":{"image":"postgres:16","networks":null},
        "proxy":{"image":"nginx","profiles":["production"],"depends_on":{"web":{"condition":"service_started"}}}}}"#;

    #[test]
    fn e08_variables_that_are_set_nowhere_are_noted() {
        let mut model = Model::default();
        model.note_unset(
            "level=warning msg=\"The \\\"TAG\\\" variable is not set. Defaulting to a blank string.\"\nother",
        );
        assert_eq!(model.unset, ["TAG"]);
    }

    #[test]
    fn profiles_decide_who_is_active_and_dependencies_the_order() {
        let model = Model::parse(SHOP.as_bytes()).unwrap();
        assert_eq!(model.active(&[]).into_keys().collect::<Vec<_>>(), ["db", "web"]);
        assert_eq!(model.active(&["production".into()]).len(), 3);
        assert_eq!(model.dependency_order(), ["db", "web", "proxy"]);
        assert_eq!(model.services["web"].environment["A"].as_deref(), Some("a$b"));
    }
}
