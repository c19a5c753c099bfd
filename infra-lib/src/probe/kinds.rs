//! The kinds of probe.

use crate::schedule;

use super::probe::Probe;
use super::snapshot::Snapshot;
use super::{
    backup_age, connectivity, container, disk, environment, http, logs, memory, migrations, network, postgres,
    public_ports, redis, releases, resources, scheduled_jobs, tcp, tls, volumes,
};

/// The probes of a kind for a project.
type Plan = fn(&Snapshot<'_>) -> Vec<Box<dyn Probe>>;

/// A kind of probe.
pub(crate) struct Kind {
    /// Its name, in checks and for `--only`.
    pub(crate) name: &'static str,
    pub(crate) plan: Plan,
    /// Whether it can only warn, never fail.
    pub(crate) advises: bool,
}

const fn decides(name: &'static str, plan: Plan) -> Kind {
    Kind { name, plan, advises: false }
}

const fn advises(name: &'static str, plan: Plan) -> Kind {
    Kind { name, plan, advises: true }
}

/// Every kind, in the order of a report.
pub(crate) const KINDS: [Kind; 19] = [
    decides(container::KIND, container::plan),
    decides(releases::KIND, releases::plan),
    decides(http::KIND, http::plan),
    decides(tcp::KIND, tcp::plan),
    decides(postgres::KIND, postgres::plan),
    decides(migrations::KIND, migrations::plan),
    decides(redis::KIND, redis::plan),
    decides(tls::KIND, tls::plan),
    decides(connectivity::KIND, connectivity::plan),
    decides(network::KIND, network::plan),
    advises(environment::KIND, environment::plan),
    decides(public_ports::KIND, public_ports::plan),
    advises(logs::KIND, logs::plan),
    advises(resources::KIND, resources::plan),
    decides(disk::KIND, disk::plan),
    decides(memory::KIND, memory::plan),
    advises(volumes::KIND, volumes::plan),
    decides(backup_age::KIND, backup_age::plan),
    decides(schedule::KIND, scheduled_jobs::plan),
];
