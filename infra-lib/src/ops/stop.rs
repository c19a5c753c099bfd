//! `stop`

use std::fmt;

use serde::Serialize;

use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};
use crate::stack::stop;

/// Stop the stack, or some services. Nothing is removed.
///
/// A database gets a minute to shut down; Compose alone would kill it after ten seconds.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Stop {
    /// Stop only these services.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
}

/// The result of `stop`: the services that were stopped.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct StopReport {
    /// The services that had been running.
    pub stopped: Vec<String>,
    /// PostgreSQL servers among them that were killed, and will replay their log when they are started again.
    pub unclean: Vec<String>,
}

impl Operation for Stop {
    const NAME: &'static str = "stop";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = StopReport;

    fn run(&self, project: &Project) -> Result<StopReport> {
        let stopped =
            if project.has_services() { stop::stop(project, &self.services)? } else { stop::Stopped::default() };
        let mut report = StopReport { stopped: stopped.services, unclean: stopped.unclean };
        if project.database_axis() == DatabaseAxis::Local
            && self.services.is_empty()
            && project.stop_local_database()?
        {
            report.stopped.push("local database".to_owned());
        }
        Ok(report)
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
        }?;
        if self.unclean.is_empty() { Ok(()) } else { write!(f, "; not cleanly: {}", self.unclean.join(", ")) }
    }
}
