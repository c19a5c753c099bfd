//! Health probes, one file per kind, all asked at once.
//!
//! To add a kind: write its file with a `plan` that returns the probes which the `Snapshot` calls for, and add its line
//! to `KINDS`.

mod ask;
mod backup_age;
mod check;
mod container;
mod disk;
mod environment;
mod exposure;
mod http;
mod jobs;
pub(crate) mod logs;
mod memory;
mod network;
pub(crate) mod ports;
mod postgres;
mod reach;
mod redis;
mod resources;
pub(crate) mod snapshot;
mod stated;
mod tcp;
mod tls;
mod volumes;

use std::time::Duration;

use crate::schedule;
pub(crate) use ask::{ask, ask_all};
pub(crate) use check::Listed;
pub use check::{Check, Verdict};
pub(crate) use ports::{is_database, repository};
pub(crate) use snapshot::{Snapshot, failure};

/// How long a probe waits for an answer over the network.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a program may take that a probe asks.
const PROGRAM: Duration = Duration::from_secs(10);

/// One thing that is looked at.
pub(crate) trait Probe: Send + Sync {
    /// What is looked at, if the probe itself breaks.
    fn target(&self) -> String;

    /// Looks. It changes nothing and never waits longer than [`PROGRAM`].
    fn look(&self, snapshot: &Snapshot<'_>) -> Vec<Check>;
}

/// The probes of a kind that a project calls for.
type Plan = fn(&Snapshot<'_>) -> Vec<Box<dyn Probe>>;

/// A kind of probe.
pub(crate) struct Kind {
    /// Its name, in checks and for `--only`.
    pub(crate) name: &'static str,
    pub(crate) plan: Plan,
    /// Whether it can find only what somebody should look at, never that something does not work.
    pub(crate) advises: bool,
}

const fn decides(name: &'static str, plan: Plan) -> Kind {
    Kind { name, plan, advises: false }
}

const fn advises(name: &'static str, plan: Plan) -> Kind {
    Kind { name, plan, advises: true }
}

/// Every kind, in the order of a report.
pub(crate) const KINDS: [Kind; 17] = [
    decides(container::KIND, container::plan),
    decides(http::KIND, http::plan),
    decides(tcp::KIND, tcp::plan),
    decides(postgres::KIND, postgres::plan),
    decides(redis::KIND, redis::plan),
    decides(tls::KIND, tls::plan),
    decides(reach::KIND, reach::plan),
    decides(network::KIND, network::plan),
    advises(environment::KIND, environment::plan),
    decides(exposure::KIND, exposure::plan),
    advises(logs::KIND, logs::plan),
    advises(resources::KIND, resources::plan),
    decides(disk::KIND, disk::plan),
    decides(memory::KIND, memory::plan),
    advises(volumes::KIND, volumes::plan),
    decides(backup_age::KIND, backup_age::plan),
    decides(schedule::KIND, jobs::plan),
];

/// An answer that needed no look.
struct Known(Check);

impl Probe for Known {
    fn target(&self) -> String {
        self.0.target.clone()
    }

    fn look(&self, _: &Snapshot<'_>) -> Vec<Check> {
        vec![self.0.clone()]
    }
}

/// The text on one line, and not longer than somebody reads.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}
