//! Watching that new containers stay healthy once only they can answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::compose::Status;
use crate::config::Period;
use crate::exit::Exit;
use crate::probe::http::check_address;
use crate::probe::{Snapshot, Verdict};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::converge::is_made_by;
use super::plan::{is_fine, jobs};

/// How long to watch, unless infra.toml says otherwise.
const WATCH: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// Watches these services' containers of this deploy, and the probe.
pub(super) fn watch(project: &Project, services: &BTreeSet<String>, number: u64) -> Result<()> {
    let until = Instant::now() + project.config().deploy.watch.map_or(WATCH, Period::duration);
    let jobs = jobs(project.model()?);
    project.waiting(format_args!("watching {}", services.iter().cloned().collect::<Vec<_>>().join(", ")));
    loop {
        for container in project.containers()? {
            let is_ours = is_made_by(&container, number);
            let is_watched = services.contains(&container.service) && !jobs.contains(container.service.as_str());
            if !is_ours || !is_watched || container.restart_policy == "no" && container.status == Status::Exited {
                continue;
            }
            if !is_fine(&container) || container.restart_count > 0 {
                let message = format!("`{}` did not stay healthy: {}", container.service, container.state());
                return Err(Error::new(Exit::Failed, message));
            }
        }
        probe(project)?;
        if Instant::now() >= until {
            return Ok(());
        }
        project.cancel().sleep(PAUSE)?;
    }
}

/// Requests the address that users come in by, if infra.toml names one.
pub(super) fn probe(project: &Project) -> Result<()> {
    let Some(address) = &project.config().deploy.probe else { return Ok(()) };
    let check = check_address(&Snapshot::take(project)?, "probe", address);
    match check.status {
        Verdict::Fail => Err(Error::new(Exit::Failed, format!("the probe failed: {}", check.detail))),
        _ => Ok(()),
    }
}
