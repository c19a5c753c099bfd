//! The current resource usage of containers.

use serde::{Deserialize, Serialize};

use crate::exec::{ExecError, Invocation, Runner};

use super::usage::size;
use super::{Compose, ComposeError, Container, Status};

/// The current resource usage of a container.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The service it belongs to.
    pub service: String,
    /// The name of the container.
    pub container: String,
    /// CPU usage in percent of one core: 200 means two cores.
    pub cpu_percent: f64,
    /// Memory in bytes, without the page cache.
    pub memory_bytes: u64,
    /// The memory limit in bytes.
    pub memory_limit_bytes: u64,
    /// Memory usage in percent of the limit.
    pub memory_percent: f64,
    /// Bytes received over the network since the container started.
    pub received_bytes: u64,
    /// Bytes sent over the network since the container started.
    pub sent_bytes: u64,
    /// Bytes read from disks since the container started.
    pub read_bytes: u64,
    /// Bytes written to disks since the container started.
    pub written_bytes: u64,
    /// The number of processes and threads.
    pub processes: u64,
}

/// A line of `docker stats`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Line {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    name: String,
    /// In percent of one core, such as `12.34%`; see [`percent`].
    #[serde(rename = "CPUPerc")]
    pub(crate) cpu: String,
    /// `12MiB / 512MiB`
    #[serde(rename = "MemUsage")]
    pub(crate) memory: String,
    /// In percent of the limit, or of the machine's memory.
    #[serde(rename = "MemPerc")]
    pub(crate) memory_percent: String,
    #[serde(rename = "NetIO")]
    network: String,
    #[serde(rename = "BlockIO")]
    disk: String,
    #[serde(rename = "PIDs")]
    processes: String,
}

/// The command that measures these containers once and prints a [`Line`] for each.
pub(crate) fn measure(containers: impl Iterator<Item = String>) -> Invocation {
    Invocation::new("docker").args(["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"]).args(containers)
}

/// A percentage; a container that has just ended has none.
pub(crate) fn percent(text: &str) -> Option<f64> {
    text.trim_end_matches('%').parse().ok()
}

impl Compose {
    /// Measures the running containers among these, which takes about two seconds.
    pub(crate) fn stats(&self, runner: &Runner, containers: &[Container]) -> Result<Vec<Stats>, ComposeError> {
        let running: Vec<_> = containers.iter().filter(|container| container.status == Status::Running).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let output = self.read(runner, &measure(running.iter().map(|container| container.id.clone())))?;
        let mut stats = Vec::new();
        for line in output.text().lines() {
            let raw: Line = serde_json::from_str(line).map_err(|error| {
                self.explain(ExecError::BadOutput { command: "docker stats".to_owned(), reason: error.to_string() })
            })?;
            // A container that ended meanwhile has no name any more.
            if let Some(container) = running.iter().find(|container| container.name == raw.name) {
                stats.push(Stats::from_raw(container, &raw));
            }
        }
        stats.sort_by(|a, b| a.container.cmp(&b.container));
        Ok(stats)
    }
}

impl Stats {
    fn from_raw(container: &Container, raw: &Line) -> Self {
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
            cpu_percent: percent(&raw.cpu).unwrap_or(0.0),
            memory_bytes,
            memory_limit_bytes,
            memory_percent: percent(&raw.memory_percent).unwrap_or(0.0),
            received_bytes,
            sent_bytes,
            read_bytes,
            written_bytes,
            processes: raw.processes.parse().unwrap_or(0),
        }
    }
}
