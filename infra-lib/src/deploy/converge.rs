//! Going back to the release that was live, whatever state an unfinished deploy has left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::compose::{Container, Status};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::services::Readiness;
use crate::release::Outcome;
use crate::stack::launch::launch_some;
use crate::stack::{Preflight, replicas};

use super::plan::jobs;
use super::routes::{Route, routes};
use super::{containers, overlay};

/// Whether this deploy made the container.
pub(super) fn is_made_by(container: &Container, number: u64) -> bool {
    container.deployed.as_ref().is_some_and(|it| it.number == number)
}

/// Stops and removes what this deploy made.
pub(super) fn remove_made_by(project: &Project, number: u64) -> Result<()> {
    let present = project.containers()?;
    containers::remove(project, present.iter().filter(|it| is_made_by(it, number)))
}

/// The outcome of going back: what ran before runs again, or neither release is healthy.
pub(super) fn went_back(old: &Project, result: Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Reverted,
        Err(error) => {
            old.warn(format_args!("what ran before is not healthy: {error}"));
            Outcome::Partial
        }
    }
}

/// Brings the stack back to the release that `old` was opened from: its containers run, requests go to them, and those
/// that the deploy `number` made are gone. `wanted` has how many containers each service had.
pub(super) fn undo(
    old: &Project,
    number: u64,
    wanted: &BTreeMap<String, u32>,
    until: Instant,
    passed: &Preflight,
) -> Result<Readiness> {
    let model = old.model()?;
    let active: BTreeSet<String> = model.active(&old.environment().profiles).into_keys().map(str::to_owned).collect();
    let jobs = jobs(model);
    let is_old = |it: &Container| !it.one_off && !is_made_by(it, number) && !jobs.contains(it.service.as_str());
    // A routed service's old containers first: requests go back to them before the new ones stop.
    let routes = routes(old)?;
    let switched: BTreeSet<String> = routes.iter().map(|route| route.service.clone()).collect();
    let present = old.containers()?;
    let there = |name: &String| present.iter().any(|it| it.service == *name && is_old(it));
    let back: BTreeSet<String> = switched.iter().filter(|name| there(name)).cloned().collect();
    let mut readiness = launch_some(old, &back, is_old, until, passed)?;
    // Always: one that was killed may have written the file and not reloaded the proxy.
    write_routes(old, &routes)?;
    reload(old, routes.iter())?;
    if old.containers()?.iter().any(|it| switched.contains(&it.service) && is_made_by(it, number)) {
        // Requests that the new ones still have may end.
        let drain = routes.iter().map(|route| route.drain).max().unwrap_or_default();
        old.cancel().sleep(drain)?;
    }
    remove_made_by(old, number)?;
    // What was replaced in place.
    let present = old.containers()?;
    let count = |name: &str| replicas::count(&present, name);
    let missing: BTreeMap<String, u32> = active
        .iter()
        .map(|name| (name.clone(), wanted.get(name).copied().unwrap_or(1)))
        .filter(|(name, wanted)| count(name) < *wanted)
        .collect();
    containers::create(old, &missing)?;
    let again = launch_some(old, &active, |it| !it.one_off && !jobs.contains(it.service.as_str()), until, passed)?;
    if matches!(readiness, Readiness::Ready) {
        readiness = again;
    }
    Ok(readiness)
}

/// Writes the files by which proxies send requests to the containers that a project's overlay names.
pub(super) fn write_routes(project: &Project, routes: &[Route]) -> Result<()> {
    let labels = overlay::labels_here(project);
    routes.iter().try_for_each(|route| route.write(project, labels.get(&route.service).map(|label| label.number)))
}

/// Makes the running proxies of these routes read their files again, each once.
pub(super) fn reload<'r>(project: &Project, routes: impl Iterator<Item = &'r Route>) -> Result<()> {
    let proxies: BTreeMap<&str, &Route> = routes.map(|route| (route.via.as_str(), route)).collect();
    let present = project.containers()?;
    for route in proxies.into_values() {
        let running = |it: &&Container| it.service == route.via && it.status == Status::Running;
        for container in present.iter().filter(running) {
            route.proxy.reload(project, &container.id)?;
        }
    }
    Ok(())
}
