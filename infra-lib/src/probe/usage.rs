//! What the containers use: from the kernel of this machine, or from the engine on another one.

use std::time::Duration;

use crate::compose::stats::{self, Line, measure};
use crate::compose::{Container, Service};
use crate::config::ByteSize;

use super::control_group::{ControlGroup, Sample};
use super::{PROGRAM, Snapshot, memory, one_line};

/// What a container uses.
pub(super) struct Usage<'s> {
    pub(super) service: &'s Service,
    pub(super) container: &'s Container,
    /// In percent of one core.
    pub(super) cpu: f64,
    /// In percent of its limit, or of the machine's memory.
    pub(super) memory: f64,
    /// In words.
    pub(super) used: String,
    pub(super) limit: String,
}

/// A container on this machine, and what it had used when we began.
struct Local<'s> {
    service: &'s Service,
    container: &'s Container,
    group: ControlGroup,
    before: Sample,
}

/// How long processor time is measured.
const GLANCE: Duration = Duration::from_millis(150);
/// How much longer if a container is busy: the other probes keep a container busy for a moment.
const LOOK: Duration = Duration::from_secs(1);

/// What each running container uses; `is_busy` says whose processor time is worth a second look.
pub(super) fn of_all<'s>(
    snapshot: &'s Snapshot<'_>,
    is_busy: impl Fn(&Usage<'_>) -> bool,
) -> Result<Vec<Usage<'s>>, String> {
    let Some(local) = snapshot.running().map(|(service, it)| Local::new(service, it)).collect::<Option<Vec<_>>>()
    else {
        return query_engine(snapshot);
    };
    let machine = memory::linux().map_or(u64::MAX, |(total, _)| total);
    let after = |time| -> Result<Vec<Usage<'s>>, String> {
        snapshot.project.cancel().sleep(time).map_err(|error| one_line(&error.to_string()))?;
        Ok(local.iter().filter_map(|it| it.usage(machine)).collect())
    };
    let usages = after(GLANCE)?;
    if usages.iter().any(is_busy) { after(LOOK) } else { Ok(usages) }
}

impl<'s> Local<'s> {
    fn new(service: &'s Service, container: &'s Container) -> Option<Self> {
        let group = ControlGroup::find(container)?;
        let before = group.sample()?;
        Some(Self { service, container, group, before })
    }

    /// What it uses now; `None` if it has ended.
    fn usage(&self, machine: u64) -> Option<Usage<'s>> {
        let now = self.group.sample()?;
        let limit = now.limit.min(machine);
        Some(Usage {
            service: self.service,
            container: self.container,
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
fn query_engine<'s>(snapshot: &'s Snapshot<'_>) -> Result<Vec<Usage<'s>>, String> {
    let call = measure(snapshot.running().map(|(_, container)| container.id.clone())).deadline(PROGRAM);
    let output = snapshot.project.runner().read(&call).map_err(|error| one_line(&error.to_string()))?;
    Ok(parse(snapshot, &output.text()))
}

pub(super) fn parse<'s>(snapshot: &'s Snapshot<'_>, text: &str) -> Vec<Usage<'s>> {
    let usage = |line: Line| {
        let (service, container) = snapshot.running().find(|(_, container)| container.id == line.id)?;
        let (used, limit) = line.memory.split_once(" / ")?;
        Some(Usage {
            service,
            container,
            cpu: stats::percent(&line.cpu)?,
            memory: stats::percent(&line.memory_percent)?,
            used: used.to_owned(),
            limit: limit.to_owned(),
        })
    };
    text.lines().filter_map(|line| usage(serde_json::from_str(line).ok()?)).collect()
}
