//! Installed jobs that were missed or have failed.

use jiff::Zoned;

use crate::operation::Operation as _;
use crate::ops::Health;
use crate::schedule::installed;
use crate::schedule::record::Record;

use super::{Known, Probe, Snapshot};

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let project = snapshot.project;
    let record = Record::of(project.state(), &project.environment().name);
    if record.jobs.is_empty() {
        return Vec::new();
    }
    let jobs = installed(project, record, &Zoned::now()).into_iter();
    // Health would look at itself.
    let others = jobs.filter(|job| job.job.operation() != Health::NAME);
    others.map(|job| Box::new(Known(job.check(snapshot.now))) as Box<dyn Probe>).collect()
}
