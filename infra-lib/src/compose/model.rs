//! A project as resolved by `docker compose config --format json`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Services, networks and volumes after interpolation, merging and normalisation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Model {
    /// The name of the compose project.
    pub(crate) name: String,
    /// The services of all profiles.
    #[serde(deserialize_with = "map")]
    pub(crate) services: BTreeMap<String, Service>,
    /// The volumes by their names in the file.
    #[serde(deserialize_with = "map")]
    pub(crate) volumes: BTreeMap<String, Volume>,
    /// The networks by their names in the file.
    #[serde(deserialize_with = "map")]
    pub(crate) networks: BTreeMap<String, Network>,
    /// The secrets by their names in the file.
    #[serde(deserialize_with = "map")]
    pub(crate) secrets: BTreeMap<String, SecretFile>,
    /// Variables that the files use but that are not set. Compose only warns about them.
    #[serde(skip)]
    pub(crate) unset: Vec<String>,
}

/// A service of the compose project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Service {
    /// The image that it runs or builds.
    pub(crate) image: Option<String>,
    /// How its image is built.
    pub(crate) build: Option<Build>,
    /// Its profiles. Without any, it is always active.
    #[serde(deserialize_with = "list")]
    pub(crate) profiles: Vec<String>,
    /// Its ports, published or not.
    #[serde(deserialize_with = "list")]
    pub(crate) ports: Vec<Port>,
    /// The health check of its containers.
    pub(crate) healthcheck: Option<HealthCheck>,
    /// The services that it depends on.
    #[serde(deserialize_with = "map")]
    pub(crate) depends_on: BTreeMap<String, Dependency>,
    /// The volumes and folders mounted in its containers.
    #[serde(deserialize_with = "list")]
    pub(crate) volumes: Vec<Mount>,
    /// Its environment. A variable without a value is `None`.
    #[serde(deserialize_with = "map")]
    pub(crate) environment: BTreeMap<String, Option<String>>,
    /// The networks that it is connected to.
    #[serde(deserialize_with = "map")]
    pub(crate) networks: BTreeMap<String, Value>,
    /// The restart policy, such as `unless-stopped`.
    pub(crate) restart: Option<String>,
    /// A fixed name for its container.
    pub(crate) container_name: Option<String>,
    /// Resource limits, reservations and replicas.
    pub(crate) deploy: Value,
    /// The user that it runs as.
    pub(crate) user: Option<String>,
    /// All other keys, as Compose prints them.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

impl Service {
    /// Its secrets: the name of each in the file, and its path in the container.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, String)> {
        let entries = self.rest.get("secrets").and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| {
            let name = entry.get("source")?.as_str()?;
            let target = entry.get("target").and_then(Value::as_str).unwrap_or(name);
            let is_path = target.starts_with('/');
            Some((name, if is_path { target.to_owned() } else { format!("/run/secrets/{target}") }))
        })
    }
}

/// The `build` section of a service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Build {
    /// The build context: the folder that is sent to the builder.
    pub(crate) context: Option<String>,
    /// The Dockerfile, relative to the context.
    pub(crate) dockerfile: Option<String>,
    /// The text of the Dockerfile, if the compose file contains it.
    pub(crate) dockerfile_inline: Option<String>,
    /// The build stage to build.
    pub(crate) target: Option<String>,
    /// Build arguments. One without a value comes from the caller's environment.
    #[serde(deserialize_with = "map")]
    pub(crate) args: BTreeMap<String, Option<String>>,
    /// Additional build contexts by name: folders, repositories and images.
    #[serde(deserialize_with = "map")]
    pub(crate) additional_contexts: BTreeMap<String, String>,
}

impl Build {
    /// The Dockerfile below the context, which may be an address.
    pub(crate) fn dockerfile_path(&self) -> Option<Utf8PathBuf> {
        let context = Utf8PathBuf::from(self.context.as_deref()?);
        Some(context.join(self.dockerfile.as_deref().unwrap_or("Dockerfile")))
    }
}

/// A port of a service, published or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Port {
    /// The address on the host; `None` means every address.
    pub(crate) host_ip: Option<String>,
    /// The port inside the container.
    pub(crate) target: u16,
    /// The port on the host, or a range of ports.
    pub(crate) published: Option<String>,
    /// The protocol: `tcp` or `udp`.
    pub(crate) protocol: String,
}

impl Port {
    /// The port on the host, if it is a single fixed one.
    pub(crate) fn host_port(&self) -> Option<u16> {
        self.published.as_deref()?.parse().ok().filter(|&port| port != 0)
    }

    /// Whether it is published on every address of the host.
    pub(crate) fn is_public(&self) -> bool {
        self.published.is_some() && self.host_ip.as_deref().is_none_or(|ip| matches!(ip, "" | "0.0.0.0" | "::"))
    }
}

/// The `healthcheck` section of a service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct HealthCheck {
    /// Whether the image's own check is disabled.
    pub(crate) disable: bool,
    /// The command of the check.
    pub(crate) test: Value,
    /// The interval of checks while the container starts. Engines before version 25 reject it.
    pub(crate) start_interval: Option<String>,
}

/// An entry of a service's `depends_on`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Dependency {
    /// When the dependency counts as ready.
    pub(crate) condition: Condition,
    /// Whether the service cannot start without the dependency.
    pub(crate) required: bool,
    /// Whether restarting the dependency also restarts the dependent service.
    pub(crate) restart: bool,
}

/// When a dependency counts as ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Condition {
    /// When its container is running.
    #[default]
    #[serde(rename = "service_started")]
    Started,
    /// When its health check passes.
    #[serde(rename = "service_healthy")]
    Healthy,
    /// When it has exited with zero.
    #[serde(rename = "service_completed_successfully")]
    Completed,
}

/// An entry of a service's `volumes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Mount {
    /// The type of the mount: `volume`, `bind` or `tmpfs`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The volume's name in the file, or the path on the host.
    pub(crate) source: Option<String>,
    /// The path inside the container.
    pub(crate) target: String,
    /// Whether the container cannot write to it.
    pub(crate) read_only: bool,
}

/// A volume of the compose project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Volume {
    /// The name on the engine.
    pub(crate) name: String,
    /// Whether it is managed outside this project.
    pub(crate) external: bool,
}

/// A network of the compose project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct Network {
    /// The name on the engine.
    pub(crate) name: String,
    /// Whether it is managed outside this project.
    pub(crate) external: bool,
    /// Whether it has no access to other networks.
    pub(crate) internal: bool,
    /// The address settings (IP address management).
    pub(crate) ipam: Value,
}

impl Network {
    /// The subnets that the file requests.
    pub(crate) fn subnets(&self) -> Vec<String> {
        let config = self.ipam.get("config").and_then(Value::as_array).into_iter().flatten();
        config.filter_map(|entry| entry.get("subnet")?.as_str().map(str::to_owned)).collect()
    }
}

/// An entry of the top-level `secrets`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub(crate) struct SecretFile {
    /// The file that contains the secret.
    pub(crate) file: Option<Utf8PathBuf>,
    /// The variable that contains the secret.
    pub(crate) environment: Option<String>,
}

impl Model {
    /// Parses Compose's output. Compose writes `$` as `$$` so that its output can be used as input; this is reverted.
    pub(crate) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        let mut value: Value = serde_json::from_slice(json)?;
        undouble(&mut value);
        let mut model: Self = serde_json::from_value(value)?;
        model.services.values_mut().for_each(super::host_network::add_ports);
        Ok(model)
    }

    /// Records the variables that Compose warned about: `The \"X\" variable is not set. Defaulting to a blank
    /// string.`
    pub(super) fn note_unset(&mut self, stderr: &str) {
        let names = stderr.lines().filter(|line| line.contains("variable is not set")).filter_map(|line| {
            let (_, name) = line.split_once("The ")?;
            let name = name.trim_start_matches(['\\', '"']);
            Some(name[..name.find(['\\', '"'])?].to_owned())
        });
        self.unset = names.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    }

    /// The services that are active with these profiles, including their dependencies.
    pub(crate) fn active(&self, profiles: &[String]) -> BTreeMap<&str, &Service> {
        let is_on = |service: &Service| {
            let is_named = |profile: &String| profile == "*" || service.profiles.contains(profile);
            service.profiles.is_empty() || profiles.iter().any(is_named)
        };
        self.with_dependencies(
            self.services.iter().filter(|(_, service)| is_on(service)).map(|(name, _)| name.as_str()),
        )
    }

    /// These services and their dependencies.
    pub(crate) fn with_dependencies<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeMap<&str, &Service> {
        let mut found = BTreeMap::new();
        let mut queue: Vec<_> = names.into_iter().filter_map(|name| self.services.get_key_value(name)).collect();
        while let Some((name, service)) = queue.pop() {
            if found.insert(name.as_str(), service).is_none() {
                queue.extend(service.depends_on.keys().filter_map(|name| self.services.get_key_value(name)));
            }
        }
        found
    }

    /// All services, each after its dependencies.
    pub(crate) fn dependency_order(&self) -> Vec<&str> {
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
}

fn undouble(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("$$") => *text = text.replace("$$", "$"),
        Value::Array(items) => items.iter_mut().for_each(undouble),
        Value::Object(map) => map.values_mut().for_each(undouble),
        _ => {}
    }
}

/// Compose prints `null` for an empty map.
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
