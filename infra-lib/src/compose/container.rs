//! Containers as reported by the engine.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::exec::Runner;
use crate::release::Label;

use super::own_check::{OwnCheck, RawCheck};
use super::{Compose, ComposeError};

/// A container of a compose project.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Container {
    /// The id of the container.
    pub id: String,
    /// The name of the container.
    pub name: String,
    /// The service it belongs to.
    pub service: String,
    /// Its number within the service, from 1.
    pub number: u32,
    /// Whether `docker compose run` created it.
    pub one_off: bool,
    /// The folder that the project was started from.
    pub working_dir: String,
    /// The name of its image.
    pub image: String,
    /// The id of its image. The image's name may refer to a newer one by now.
    pub image_id: String,
    /// The state of the container.
    pub status: Status,
    /// The result of its health check.
    pub health: Health,
    /// The last output of its health check.
    #[serde(skip)]
    pub health_output: String,
    /// Its health check, if it has one.
    #[serde(skip)]
    pub(crate) check: Option<OwnCheck>,
    /// The number of its main process on the engine's machine, while it runs.
    #[serde(skip)]
    pub(crate) process: Option<u32>,
    /// The exit code, if it has ended.
    pub exit_code: i32,
    /// Whether it was killed because it ran out of memory.
    pub out_of_memory: bool,
    /// The error reported by the engine.
    pub error: String,
    /// How often its restart policy has restarted it.
    pub restart_count: u32,
    /// The restart policy: `no`, `always`, `unless-stopped` or `on-failure`.
    pub restart_policy: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last started.
    pub started: Option<Timestamp>,
    /// When it last ended.
    pub finished: Option<Timestamp>,
    /// Its host name on its networks.
    pub hostname: String,
    /// Its IP addresses by network.
    pub addresses: BTreeMap<String, String>,
    /// Published ports as `address:port->port/tcp`.
    pub ports: Vec<String>,
    /// The names of the volumes mounted in it.
    pub volumes: Vec<String>,
    /// Its environment as `KEY=value`; never shown.
    #[serde(skip)]
    pub environment: Vec<String>,
    /// What the deploy that created it says about it, if one did.
    #[serde(skip)]
    pub(crate) deployed: Option<Label>,
}

/// The state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// It was created, but never started.
    Created,
    /// Its main process is running.
    Running,
    /// Its processes are suspended.
    Paused,
    /// Its restart policy is about to start it again.
    Restarting,
    /// The engine is removing it.
    Removing,
    /// Its main process has ended.
    Exited,
    /// The engine failed to remove it.
    Dead,
}

impl Status {
    /// Whether no process of the container is left, or none was ever started.
    pub(crate) fn is_down(self) -> bool {
        matches!(self, Self::Created | Self::Exited | Self::Dead)
    }
}

/// The result of a health check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Health {
    /// The container has no health check.
    #[default]
    None,
    /// The check has not passed yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// The last checks failed.
    Unhealthy,
}

impl Container {
    /// The state in a few words for people.
    pub(crate) fn state(&self) -> String {
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

    /// Its published ports without duplicates: the engine lists ports on every address for both IPv4 and IPv6.
    pub(crate) fn published(&self) -> Vec<String> {
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
    /// The project's containers, including stopped ones and those of inactive profiles.
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
    pid: u32,
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
    healthcheck: Option<RawCheck>,
    shell: Option<Vec<String>>,
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

/// Without the IPv6 twin of each port that is published on every address. The engine chooses the number of a random
/// port twice, so that the twin may have another one, under which `localhost` does not answer.
fn without_twins(hosts: &[RawBinding]) -> impl Iterator<Item = &RawBinding> {
    let count = |ip: &str| hosts.iter().filter(|host| host.ip == ip).count();
    let are_twins = count("0.0.0.0") == count("::");
    hosts.iter().filter(move |host| !are_twins || host.ip != "::")
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Parses a time. The year 1 means never.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time| *time > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
impl Container {
    /// Parses the output of `docker container inspect`.
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
            let hosts = without_twins(hosts.as_deref().unwrap_or_default());
            hosts.map(move |host| format!("{}:{}->{target}", host.ip, host.port))
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
            process: Some(raw.state.pid).filter(|pid| *pid > 0),
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
            check: raw.config.healthcheck.as_ref().and_then(|check| OwnCheck::new(check, raw.config.shell.as_deref())),
            deployed: Label::from_labels(&raw.config.labels),
            environment: raw.config.env,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_port_is_the_one_that_localhost_answers_on() {
        let ports = |bindings: &str| {
            let json = format!(
                r#"[{{"Id":"1","Name":"/x","Created":"","State":{{"Status":"running"}},"HostConfig":{{"RestartPolicy":{{}}}},
                    "Config":{{"Image":"x"}},"NetworkSettings":{{"Ports":{{"80/tcp":[{bindings}]}}}}}}]"#
            );
            Container::parse_list(json.as_bytes()).unwrap().remove(0).ports
        };
        let (four, six) = (r#"{"HostIp":"0.0.0.0","HostPort":"32775"}"#, r#"{"HostIp":"::","HostPort":"32774"}"#);
        assert_eq!(ports(&format!("{four},{six}")), ["0.0.0.0:32775->80/tcp"]);
        assert_eq!(ports(six), [":::32774->80/tcp"]);
    }
}
