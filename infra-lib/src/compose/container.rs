//! Containers as the engine knows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::exec::Runner;

use super::{Compose, ComposeError};

/// A container of a compose project.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Which of the service's containers it is, from 1.
    pub number: u32,
    /// Whether `run` made it.
    pub one_off: bool,
    /// The folder that the project was started from.
    pub working_dir: String,
    /// Its image, by name.
    pub image: String,
    /// The very image that it was made from: its name may mean another one by now.
    pub image_id: String,
    /// What it does.
    pub status: Status,
    /// What its health check says.
    pub health: Health,
    /// The last output of its health check.
    #[serde(skip)]
    pub health_output: String,
    /// With what it ended, when it has.
    pub exit_code: i32,
    /// Whether it ran out of memory.
    pub out_of_memory: bool,
    /// What the engine says went wrong.
    pub error: String,
    /// How often it was restarted by its policy.
    pub restart_count: u32,
    /// `no`, `always`, `unless-stopped` or `on-failure`.
    pub restart_policy: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last started.
    pub started: Option<Timestamp>,
    /// When it last ended.
    pub finished: Option<Timestamp>,
    /// Its name on its own networks.
    pub hostname: String,
    /// Its addresses, by network.
    pub addresses: BTreeMap<String, String>,
    /// Published ports as `address:port->port/tcp`.
    pub ports: Vec<String>,
    /// The volumes mounted in it, by name.
    pub volumes: Vec<String>,
    /// Its environment: `KEY=value`, never shown.
    #[serde(skip)]
    pub environment: Vec<String>,
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Made, not started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// Between an end and the next start.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Beyond help.
    Dead,
}

/// What a health check says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Health {
    /// There is none.
    #[default]
    None,
    /// Not yet known.
    Starting,
    /// Good.
    Healthy,
    /// Bad.
    Unhealthy,
}

impl Container {
    /// The state in a few words, as a person would ask for it.
    pub fn state(&self) -> String {
        match (self.status, self.health) {
            (Status::Exited, _) if self.out_of_memory => format!("exited ({}, out of memory)", self.exit_code),
            (Status::Exited, _) => format!("exited ({})", self.exit_code),
            (Status::Running, Health::None) => "running".to_owned(),
            (Status::Running, Health::Starting) => "starting".to_owned(),
            (Status::Running, Health::Healthy) => "healthy".to_owned(),
            (Status::Running, Health::Unhealthy) => "unhealthy".to_owned(),
            (Status::Restarting, _) => {
                format!("restarting (exit code {}, {} times)", self.exit_code, self.restart_count)
            }
            (Status::Created, _) => "created, not started".to_owned(),
            (Status::Paused, _) => "paused".to_owned(),
            (Status::Removing, _) => "being removed".to_owned(),
            (Status::Dead, _) => "dead".to_owned(),
        }
    }

    /// Its published ports, each once: the engine lists a port of every address for IPv4 and IPv6.
    pub fn published(&self) -> Vec<String> {
        let everywhere = |port: &String| {
            let rest = port
                .strip_prefix("0.0.0.0:")
                .or_else(|| port.strip_prefix(":::"))
                .or_else(|| port.strip_prefix("[::]:"));
            rest.unwrap_or(port).to_owned()
        };
        self.ports.iter().map(everywhere).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

impl Compose {
    /// The project's containers, also the stopped ones and those of profiles that are off.
    pub(crate) fn containers(&self, runner: &Runner) -> Result<Vec<Container>, ComposeError> {
        let raw: Vec<Raw> = self.inspect(runner, "container", &self.labelled(runner, "container")?)?;
        let mut containers: Vec<Container> = raw.into_iter().map(Container::from).collect();
        containers.sort_by(|a, b| (&a.service, a.number).cmp(&(&b.service, b.number)));
        Ok(containers)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    id: String,
    #[serde(default)]
    image: String,
    name: String,
    created: String,
    state: RawState,
    #[serde(default)]
    restart_count: u32,
    host_config: RawHostConfig,
    config: RawConfig,
    network_settings: RawNetworks,
    #[serde(default, deserialize_with = "nullable")]
    mounts: Vec<RawMount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawState {
    status: Status,
    #[serde(default)]
    exit_code: i32,
    #[serde(default, rename = "OOMKilled")]
    out_of_memory: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    started_at: String,
    #[serde(default)]
    finished_at: String,
    health: Option<RawHealth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHealth {
    status: Health,
    #[serde(default, deserialize_with = "nullable")]
    log: Vec<RawHealthLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHealthLog {
    #[serde(default)]
    output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHostConfig {
    restart_policy: RawRestartPolicy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRestartPolicy {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    #[serde(default)]
    hostname: String,
    image: String,
    #[serde(default, deserialize_with = "nullable")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    env: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNetworks {
    #[serde(default, deserialize_with = "nullable")]
    networks: BTreeMap<String, RawEndpoint>,
    #[serde(default, deserialize_with = "nullable")]
    ports: BTreeMap<String, Option<Vec<RawBinding>>>,
}

#[derive(Deserialize)]
struct RawEndpoint {
    #[serde(default, rename = "IPAddress")]
    address: String,
}

#[derive(Deserialize)]
struct RawBinding {
    #[serde(rename = "HostIp")]
    ip: String,
    #[serde(rename = "HostPort")]
    port: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMount {
    #[serde(default, rename = "Type")]
    kind: String,
    #[serde(default)]
    name: String,
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A time, unless it is the year 1, which stands for never.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time| *time > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
impl Container {
    /// What `docker container inspect` printed.
    pub(crate) fn parse_list(json: &[u8]) -> serde_json::Result<Vec<Self>> {
        let raw: Vec<Raw> = serde_json::from_slice(json)?;
        Ok(raw.into_iter().map(Self::from).collect())
    }
}

impl From<Raw> for Container {
    fn from(raw: Raw) -> Self {
        let label =
            |key: &str| raw.config.labels.get(&format!("com.docker.compose.{key}")).cloned().unwrap_or_default();
        let health = raw.state.health.as_ref();
        let bindings = raw.network_settings.ports.iter().flat_map(|(target, hosts)| {
            hosts.iter().flatten().map(move |host| format!("{}:{}->{target}", host.ip, host.port))
        });
        Self {
            service: label("service"),
            number: label("container-number").parse().unwrap_or(1),
            one_off: label("oneoff") == "True",
            working_dir: label("project.working_dir"),
            ports: bindings.collect(),
            health: health.map_or(Health::None, |health| health.status),
            health_output: health
                .and_then(|health| health.log.last())
                .map(|entry| entry.output.trim().to_owned())
                .unwrap_or_default(),
            name: raw.name.trim_start_matches('/').to_owned(),
            id: raw.id,
            image: raw.config.image,
            image_id: raw.image,
            status: raw.state.status,
            exit_code: raw.state.exit_code,
            out_of_memory: raw.state.out_of_memory,
            error: raw.state.error,
            restart_count: raw.restart_count,
            restart_policy: raw.host_config.restart_policy.name,
            created: raw.created.parse().ok(),
            started: moment(&raw.state.started_at),
            finished: moment(&raw.state.finished_at),
            hostname: raw.config.hostname,
            addresses: raw
                .network_settings
                .networks
                .into_iter()
                .map(|(name, endpoint)| (name, endpoint.address))
                .collect(),
            volumes: raw.mounts.into_iter().filter(|mount| mount.kind == "volume").map(|mount| mount.name).collect(),
            environment: raw.config.env,
        }
    }
}
