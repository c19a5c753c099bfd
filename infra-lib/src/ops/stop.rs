//! `stop`

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::compose::Status;
use crate::error::Result;
use crate::exec::Invocation;
use crate::lock::{Lock, Mode};
use crate::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};

/// Stop the stack, or some services. Nothing is removed.
///
/// A database is given a minute to write what it holds; Compose alone kills it after ten seconds.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Stop {
    /// Only these services.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
}

/// What was stopped.
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
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        let mut report = StopReport { stopped: Vec::new(), unclean: Vec::new() };
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
                let grace = project.stop_grace(&running)?.as_secs().to_string();
                // Services of profiles that are off may run too, from another environment's start.
                let call = project
                    .compose()
                    .call_all(["stop", "--timeout", &grace])
                    .relay("compose")
                    .args(self.services.iter().cloned());
                let did = project.compose().change(project.runner(), &call)?;
                self.stop_orphans(project, &grace)?;
                if did.is_some() {
                    report.unclean = unclean(project, &running)?;
                }
            }
            report.stopped.extend(running);
        }
        if project.database_axis() == DatabaseAxis::Local
            && self.services.is_empty()
            && project.stop_local_database()?
        {
            report.stopped.push("local database".to_owned());
        }
        Ok(report)
    }
}

impl Stop {
    /// Compose stops what its files name; a container of a service that they no longer have is this project's as well.
    fn stop_orphans(&self, project: &Project, grace: &str) -> Result<()> {
        if !self.services.is_empty() {
            return Ok(());
        }
        let model = project.model()?;
        let orphans: Vec<String> = project
            .containers()?
            .into_iter()
            .filter(|container| container.status == Status::Running && !model.services.contains_key(&container.service))
            .map(|container| container.id)
            .collect();
        if !orphans.is_empty() {
            let call = Invocation::new("docker").args(["stop", "-t", grace]).args(orphans);
            project.compose().change(project.runner(), &call)?;
        }
        Ok(())
    }
}

/// The PostgreSQL servers among these services that did not end by themselves.
fn unclean(project: &Project, services: &BTreeSet<String>) -> Result<Vec<String>> {
    let servers = project.postgres_services()?;
    let mut unclean = Vec::new();
    for container in project.containers()? {
        let is_server = services.contains(&container.service) && servers.contains(&container.service.as_str());
        let ended_ill = container.status == Status::Exited && container.exit_code != 0;
        if is_server && ended_ill && !has_shut_down(&project.last_lines(&container.id)) {
            project.warn(format_args!(
                "`{}` was killed before it had shut down (exit code {}); it will recover from its log when it is started again",
                container.service, container.exit_code
            ));
            unclean.push(container.service);
        }
    }
    Ok(unclean)
}

/// Whether PostgreSQL's last word is that it has shut down, and not what it said at an earlier end.
fn has_shut_down(lines: &[String]) -> bool {
    let last = |words: &str| lines.iter().rposition(|line| line.contains(words));
    last("database system is shut down") > last("ready to accept connections").max(last("starting PostgreSQL"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f17_only_the_last_end_counts() {
        let said = |lines: &[&str]| has_shut_down(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>());
        assert!(said(&["LOG:  checkpoint complete", "LOG:  database system is shut down"]));
        assert!(!said(&[
            "LOG:  database system is shut down",
            "LOG:  starting PostgreSQL 16",
            "LOG:  ready to accept connections"
        ]));
        assert!(!said(&["killed"]));
    }
}
