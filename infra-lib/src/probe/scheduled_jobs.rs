//! Installed jobs that were missed or have failed.

use jiff::Zoned;

use crate::schedule::installed::installed;
use crate::schedule::job::HEALTH;
use crate::schedule::record::Record;

use super::{Known, Probe, Snapshot};

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let project = snapshot.project;
    let record = Record::read(project.state(), &project.environment().name);
    if record.jobs.is_empty() {
        return Vec::new();
    }
    let jobs = installed(project.state(), &project.environment().name, record, &Zoned::now()).into_iter();
    // Health would check itself.
    let others = jobs.filter(|job| job.job.operation() != HEALTH);
    others.map(|job| Box::new(Known(job.check(snapshot.now))) as Box<dyn Probe>).collect()
}
