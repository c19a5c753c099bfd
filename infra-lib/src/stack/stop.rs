//! Stopping services. Containers are kept.

use std::collections::BTreeSet;

use crate::compose::container::{Container, Status};
use crate::compose::model::Model;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::Result;

use super::grace::{stop_containers, stop_groups};

/// The result of stopping services.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// The services that were running.
    pub(crate) services: Vec<String>,
    /// The PostgreSQL servers among them that were killed.
    pub(crate) unclean: Vec<String>,
}

/// Stops these services, or all if none are named, each within its grace period.
pub(crate) fn stop(project: &Project, named: &[String]) -> Result<Stopped> {
    let _lock = project.lock(Lock::Stack, Mode::Exclusive, "stop")?;
    let containers = project.containers()?;
    // A service that the files no longer define may still have containers.
    for service in named.iter().filter(|name| !containers.iter().any(|it| it.service == **name)) {
        project.known_service(service)?;
    }
    let is_wanted = |service: &str| named.is_empty() || named.iter().any(|name| name == service);
    let running: BTreeSet<String> = containers
        .iter()
        .filter(|container| !container.status.is_down() && is_wanted(&container.service))
        .map(|container| container.service.clone())
        .collect();
    let mut stopped = Stopped::default();
    if running.is_empty() {
        return Ok(stopped);
    }
    project.step(format_args!("stopping {}", running.iter().cloned().collect::<Vec<_>>().join(", ")));
    // Files that cannot be read do not keep containers from being stopped.
    let (read, empty) = (project.model(), Model::default());
    let model = *read.as_ref().unwrap_or(&&empty);
    let (known, orphans): (BTreeSet<_>, BTreeSet<_>) =
        running.iter().cloned().partition(|name| model.services.contains_key(name));
    let mut is_dry = false;
    for group in stop_groups(model, &known) {
        // Services of inactive profiles may run too, started from another environment.
        let call = project.compose().call_all(["stop"]).args(group.option("--timeout")).args(&group.services);
        is_dry |= project.compose().change(project.runner(), &call.relay("compose"))?.is_none();
    }
    // Compose only stops services in its files.
    let is_orphan = |it: &&Container| !it.status.is_down() && orphans.contains(&it.service);
    stop_containers(project, model, containers.iter().filter(is_orphan))?;
    if !is_dry && read.is_ok() {
        stopped.unclean = unclean(project, &running)?;
    }
    stopped.services.extend(running);
    Ok(stopped)
}

/// The PostgreSQL servers among these services that did not shut down cleanly.
fn unclean(project: &Project, services: &BTreeSet<String>) -> Result<Vec<String>> {
    let servers = project.postgres_services()?;
    if !services.iter().any(|service| servers.contains(&service.as_str())) {
        return Ok(Vec::new());
    }
    let mut unclean = Vec::new();
    for container in project.containers()? {
        let is_server = services.contains(&container.service) && servers.contains(&container.service.as_str());
        let was_killed = container.status == Status::Exited && container.exit_code != 0;
        if is_server && was_killed && !has_shut_down(&project.last_lines(&container.id)) {
            project.warn(format_args!(
                "`{}` was killed before it had shut down (exit code {}); it will recover from its log when it is started again",
                container.service, container.exit_code
            ));
            unclean.push(container.service);
        }
    }
    Ok(unclean)
}

/// Whether the log ends with a clean shutdown of PostgreSQL, and not with one from an earlier run.
fn has_shut_down(lines: &[String]) -> bool {
    let last = |words: &str| lines.iter().rposition(|line| line.contains(words));
    last("database system is shut down") > last("ready to accept connections").max(last("starting PostgreSQL"))
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
