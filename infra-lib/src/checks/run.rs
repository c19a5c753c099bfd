//! Runs several groups of checks.

use std::time::Duration;

use crate::probe::{self, Check, Snapshot, Verdict};
use crate::project::error::Error;
use crate::project::{DatabaseAxis, Project};

use super::groups::{ALWAYS, BEFORE_START, PROBES, groups, probes};

/// Checks everything that `setup` needs, before it changes anything.
pub(crate) fn preflight(project: &Project) -> Vec<Check> {
    let (snapshot, _) = Snapshot::take_anyway(project);
    let mut asked = groups(&BEFORE_START);
    asked.extend(probes(&snapshot, &["disk"]));
    probe::run(&asked, &snapshot)
}

/// Runs all checks in parallel.
pub(crate) fn everything(project: &Project) -> Vec<Check> {
    let (snapshot, error) = Snapshot::take_anyway(project);
    let mut asked = groups(&BEFORE_START);
    asked.extend(groups(&ALWAYS));
    // What does not exist yet would be reported twice.
    let runs = match project.database_axis() {
        DatabaseAxis::Service => snapshot.has_containers(),
        DatabaseAxis::Local => {
            snapshot.has_containers() || project.local_status().is_some_and(|status| status.pid.is_some())
        }
        DatabaseAxis::Url => true,
    };
    asked.extend(probes(&snapshot, if runs { &PROBES } else { &["disk", "exposure"] }));
    let mut checks: Vec<Check> = probe::run(&asked, &snapshot).into_iter().map(not_slow).collect();
    if let Some(error) = error.filter(|error| !is_known(error, &checks)) {
        checks.insert(0, probe::failure("project", project.name(), &error));
    }
    checks
}

/// Whether one of the checks has reported the same: the engine and the env file have their own groups.
fn is_known(error: &Error, checks: &[Check]) -> bool {
    let text = error.to_string();
    checks.iter().any(|check| check.status == Verdict::Fail && text.starts_with(&check.detail))
}

/// A page that takes longer feels slow.
const SLOW: Duration = Duration::from_secs(1);

/// A correct but late answer is a warning here; for `health` it is fine.
fn not_slow(check: Check) -> Check {
    match check.latency {
        Some(latency) if check.kind == "http" && check.status == Verdict::Ok && latency > SLOW => {
            let detail = format!("slow responses: {} after {} ms", check.detail, latency.as_millis());
            let hint = format!(
                "look at what it waits for: slow queries and full limits are reported here too, `cargo xtask logs {}` may tell; then cache \
                 what is requested often",
                check.target
            );
            Check::warn(check.kind, check.target, detail).with_hint(hint).took(latency)
        }
        _ => check,
    }
}
