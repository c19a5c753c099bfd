//! `stats`

use std::fmt;

use serde::Serialize;

use crate::compose;
use crate::config::ByteSize;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::table;

/// Show the CPU, memory, network and disk use of the containers.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Stats {}

/// What the containers use.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct StatsReport {
    /// The running containers; empty if none is running.
    pub containers: Vec<compose::Stats>,
}

impl Operation for Stats {
    const NAME: &'static str = "stats";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    type Outcome = StatsReport;

    fn run(&self, project: &Project) -> Result<StatsReport> {
        if !project.has_services() {
            return Ok(StatsReport { containers: Vec::new() });
        }
        let containers = project.containers()?;
        Ok(StatsReport { containers: project.compose().stats(project.runner(), &containers)? })
    }
}

impl Outcome for StatsReport {}

impl fmt::Display for StatsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.containers.is_empty() {
            return f.write_str("no container is running");
        }
        let pair = |one, other| format!("{} / {}", ByteSize::new(one), ByteSize::new(other));
        let rows = self.containers.iter().map(|it| {
            [
                it.container.clone(),
                format!("{:.1} %", it.cpu_percent),
                pair(it.memory_bytes, it.memory_limit_bytes),
                format!("{:.1} %", it.memory_percent),
                pair(it.received_bytes, it.sent_bytes),
                pair(it.read_bytes, it.written_bytes),
                it.processes.to_string(),
            ]
        });
        f.write_str(&table(["CONTAINER", "CPU", "MEMORY / LIMIT", "", "NET IN / OUT", "DISK IN / OUT", "PIDS"], rows))
    }
}
