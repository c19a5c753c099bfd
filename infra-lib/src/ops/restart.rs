//! `restart`

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::config::Period;
use crate::deploy::recover;
use crate::exit::Exit;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};
use crate::stack::restart;
use crate::stack::start::PATIENCE;
use crate::volumes::heal_before_start;

use super::Settled;

/// Restart the stack, or some services, in dependency order.
///
/// Each service is ready again before those that depend on it are restarted; if one does not become ready, the rest
/// keeps running unchanged. Changes to compose files and env files take effect only with `start`, which recreates
/// containers.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Restart {
    /// Only these services, and those configured to restart with them (`depends_on: {…: {restart: true}}`).
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// How the restart ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RestartReport {
    /// What was restarted, in this order.
    pub restarted: Vec<String>,
    /// What was left as it was, since something that it depends on did not become ready.
    pub left: Vec<String>,
    /// How long it took, and what is not ready.
    #[serde(flatten)]
    pub settled: Settled,
}

impl Operation for Restart {
    const NAME: &'static str = "restart";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = RestartReport;

    fn run(&self, project: &Project) -> Result<RestartReport> {
        let began = Instant::now();
        let recovered = recover(project, Self::NAME)?;
        let project = recovered.project(project);
        heal_before_start(project, Self::NAME)?;
        for service in &self.services {
            project.known_service(service)?;
        }
        let restart = restart::Restart::prepare(project, &self.services, Self::NAME)?;
        let mut restarted = Vec::new();
        if project.database_axis() == DatabaseAxis::Local && self.services.is_empty() {
            project.step("restarting the local database");
            project.stop_local_database()?;
            project.start_local_database()?;
            restarted.push("local database".to_owned());
        }
        let ended = restart.run(project, self.timeout.map_or(PATIENCE, Period::duration))?;
        restarted.extend(ended.services);
        Ok(RestartReport { restarted, left: ended.left, settled: Settled::new(ended.readiness, began) })
    }
}

impl Outcome for RestartReport {
    fn exit(&self) -> Exit {
        self.settled.exit()
    }

    fn next(&self) -> Vec<String> {
        self.settled.next()
    }
}

impl fmt::Display for RestartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.restarted.is_empty() {
            return f.write_str("nothing to restart");
        }
        write!(f, "restarted {}; {}", self.restarted.join(", "), self.settled)?;
        if !self.left.is_empty() {
            write!(f, "\nleft as they were: {}", self.left.join(", "))?;
        }
        Ok(())
    }
}
