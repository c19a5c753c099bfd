//! `stop`

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::compose::Status;
use crate::error::Result;
use crate::lock::{Lock, Mode};
use crate::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};

/// Stop the stack, or some of its services. Nothing is removed.
///
/// A database is given a minute to write what it holds; Compose alone kills it after ten seconds.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Stop {
    /// Only these services.
    pub services: Vec<String>,
}

/// What was stopped.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct StopReport {
    /// The services that had been running.
    pub stopped: Vec<String>,
}

/// How long a container may take to end, in seconds.
const GRACE: &str = "60";

impl Operation for Stop {
    const NAME: &'static str = "stop";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = StopReport;

    fn run(&self, project: &Project) -> Result<StopReport> {
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        let mut stopped = Vec::new();
        if project.has_services() {
            for service in &self.services {
                project.known_service(service)?;
            }
            let wanted = |service: &str| self.services.is_empty() || self.services.iter().any(|name| name == service);
            let running: BTreeSet<String> = project
                .containers()?
                .into_iter()
                .filter(|container| {
                    !matches!(container.status, Status::Exited | Status::Created | Status::Dead)
                        && wanted(&container.service)
                })
                .map(|container| container.service)
                .collect();
            if !running.is_empty() {
                project.step(format_args!("stopping {}", running.iter().cloned().collect::<Vec<_>>().join(", ")));
                // Services of profiles that are off may run too, from another environment's start.
                let call = project
                    .compose()
                    .call_all(["stop", "--timeout", GRACE])
                    .relay("compose")
                    .args(self.services.iter().cloned());
                project.compose().change(project.runner(), &call)?;
            }
            stopped.extend(running);
        }
        if project.database_axis() == DatabaseAxis::Local
            && self.services.is_empty()
            && project.stop_local_database()?
        {
            stopped.push("local database".to_owned());
        }
        Ok(StopReport { stopped })
    }
}

impl Outcome for StopReport {
    fn next(&self) -> Vec<String> {
        vec!["cargo xtask start".to_owned()]
    }
}

impl fmt::Display for StopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stopped[..] {
            [] => f.write_str("nothing was running"),
            stopped => write!(f, "stopped {}", stopped.join(", ")),
        }
    }
}
