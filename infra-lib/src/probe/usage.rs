//! What the containers use: from the kernel of this machine, or from the engine on another one.

use std::time::Duration;

use serde::Deserialize;

use crate::compose::{Container, Service};
use crate::config::ByteSize;
use crate::exec::Invocation;

use super::control_group::{ControlGroup, Sample};
use super::{PROGRAM, Snapshot, memory, one_line};

/// What a container uses.
pub(super) struct Usage {
    pub(super) id: String,
    /// In percent of one core.
    pub(super) cpu: f64,
    /// In percent of its limit, or of the machine's memory.
    pub(super) memory: f64,
    /// In words.
    pub(super) used: String,
    pub(super) limit: String,
}

/// A line of `docker stats`.
#[derive(Deserialize)]
struct Stats {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "CPUPerc")]
    cpu: String,
    #[serde(rename = "MemPerc")]
    memory: String,
    /// `12MiB / 512MiB`
    #[serde(rename = "MemUsage")]
    of: String,
}

/// A container on this machine, and what it had used when we began.
struct Local<'a> {
    service: &'a Service,
    container: &'a Container,
    group: ControlGroup,
    before: Sample,
}

/// How long processor time is measured.
const GLANCE: Duration = Duration::from_millis(150);
/// How much longer if a container is busy: the other probes keep a container busy for a moment.
const LOOK: Duration = Duration::from_secs(1);

/// What each running container uses; `is_busy` says whose processor time is worth a second look.
pub(super) fn of_all(snapshot: &Snapshot<'_>, is_busy: impl Fn(&Service, f64) -> bool) -> Result<Vec<Usage>, String> {
    let Some(local) = snapshot.running().map(|(service, it)| Local::new(service, it)).collect::<Option<Vec<_>>>()
    else {
        return query_engine(snapshot);
    };
    let machine = memory::linux().map_or(u64::MAX, |(total, _)| total);
    let after = |time| -> Result<Vec<(&Service, Usage)>, String> {
        snapshot.project.cancel().sleep(time).map_err(|error| one_line(&error.to_string()))?;
        Ok(local.iter().filter_map(|it| Some((it.service, it.usage(machine)?))).collect())
    };
    let mut usages = after(GLANCE)?;
    if usages.iter().any(|(service, usage)| is_busy(service, usage.cpu)) {
        usages = after(LOOK)?;
    }
    Ok(usages.into_iter().map(|(_, usage)| usage).collect())
}

impl<'a> Local<'a> {
    fn new(service: &'a Service, container: &'a Container) -> Option<Self> {
        let group = ControlGroup::find(container)?;
        let before = group.sample()?;
        Some(Self { service, container, group, before })
    }

    /// What it uses now; `None` if it has ended.
    fn usage(&self, machine: u64) -> Option<Usage> {
        let now = self.group.sample()?;
        let limit = now.limit.min(machine);
        Some(Usage {
            id: self.container.id.clone(),
            cpu: now.cpu_since(&self.before),
            memory: percent(now.memory, limit),
            used: ByteSize::new(now.memory).to_string(),
            limit: ByteSize::new(limit).to_string(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Asks an engine on another machine, or one whose containers have no control groups that we can read.
fn query_engine(snapshot: &Snapshot<'_>) -> Result<Vec<Usage>, String> {
    let call = Invocation::new("docker")
        .args(["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"])
        .args(snapshot.running().map(|(_, container)| container.id.clone()))
        .deadline(PROGRAM);
    let output = snapshot.project.runner().read(&call).map_err(|error| one_line(&error.to_string()))?;
    Ok(parse(&output.text()))
}

pub(super) fn parse(text: &str) -> Vec<Usage> {
    let share = |text: &str| text.trim_end_matches('%').parse().ok();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Stats>(line).ok());
    let usage = |stats: Stats| {
        let (used, limit) = stats.of.split_once(" / ")?;
        Some(Usage {
            cpu: share(&stats.cpu)?,
            memory: share(&stats.memory)?,
            used: used.to_owned(),
            limit: limit.to_owned(),
            id: stats.id,
        })
    };
    lines.filter_map(usage).collect()
}
