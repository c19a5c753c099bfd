//! What containers use at the moment.

use serde::{Deserialize, Serialize};

use crate::exec::{ExecError, Invocation, Runner};

use super::usage::size;
use super::{Compose, ComposeError, Container, Status};

/// What a running container uses.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Its service.
    pub service: String,
    /// Its name.
    pub container: String,
    /// How much of one core it uses: 200 is two cores.
    pub cpu_percent: f64,
    /// Bytes of memory, without the page cache.
    pub memory_bytes: u64,
    /// How many bytes it may use.
    pub memory_limit_bytes: u64,
    /// How much of that it uses.
    pub memory_percent: f64,
    /// Bytes received over the network since it was started.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes read from disks.
    pub read_bytes: u64,
    /// Bytes written to disks.
    pub written_bytes: u64,
    /// How many processes and threads it has.
    pub processes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    name: String,
    #[serde(rename = "CPUPerc")]
    cpu: String,
    #[serde(rename = "MemUsage")]
    memory: String,
    #[serde(rename = "MemPerc")]
    memory_percent: String,
    #[serde(rename = "NetIO")]
    network: String,
    #[serde(rename = "BlockIO")]
    disk: String,
    #[serde(rename = "PIDs")]
    processes: String,
}

impl Compose {
    /// Measures the running ones among these containers, which takes the engine about two seconds.
    pub(crate) fn stats(&self, runner: &Runner, containers: &[Container]) -> Result<Vec<Stats>, ComposeError> {
        let running: Vec<_> = containers.iter().filter(|container| container.status == Status::Running).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let ids = running.iter().map(|container| container.id.clone());
        let call = Invocation::new("docker").args(["stats", "--no-stream", "--format", "{{json .}}"]).args(ids);
        let output = self.read(runner, &call)?;
        let mut stats = Vec::new();
        for line in output.text().lines() {
            let raw: Raw = serde_json::from_str(line).map_err(|error| {
                self.explain(ExecError::BadOutput { command: "docker stats".to_owned(), reason: error.to_string() })
            })?;
            // One that ended meanwhile has no name any more.
            if let Some(container) = running.iter().find(|container| container.name == raw.name) {
                stats.push(Stats::of(container, &raw));
            }
        }
        stats.sort_by(|a, b| a.container.cmp(&b.container));
        Ok(stats)
    }
}

impl Stats {
    fn of(container: &Container, raw: &Raw) -> Self {
        let percent = |text: &str| text.trim_end_matches('%').parse().unwrap_or(0.0);
        let pair = |text: &str| {
            let (one, other) = text.split_once(" / ").unwrap_or((text, ""));
            (size(one).unwrap_or(0), size(other).unwrap_or(0))
        };
        let (memory_bytes, memory_limit_bytes) = pair(&raw.memory);
        let (received_bytes, sent_bytes) = pair(&raw.network);
        let (read_bytes, written_bytes) = pair(&raw.disk);
        Self {
            service: container.service.clone(),
            container: container.name.clone(),
            cpu_percent: percent(&raw.cpu),
            memory_bytes,
            memory_limit_bytes,
            memory_percent: percent(&raw.memory_percent),
            received_bytes,
            sent_bytes,
            read_bytes,
            written_bytes,
            processes: raw.processes.parse().unwrap_or(0),
        }
    }
}
