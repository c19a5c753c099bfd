//! Starting the dependencies of a one-off container. `docker compose run` starts them too, but resets each to one
//! container.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::container::{Container, Status};
use crate::compose::model::Condition;
use crate::compose::readiness::Baseline;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::services::{Readiness, describe};

use super::create::create;
use super::launch::Launch;
use super::launch::begin::show;
use super::preflight::Preflight;
use super::replicas;
use super::start::PATIENCE;

/// Checks whether a one-off container of `service` may start, and starts its dependencies that are not running. Waits
/// for their conditions in the compose files.
pub(crate) fn start(project: &Project, service: &str, operation: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let preflight = Preflight::check_one_off(project, operation, service)?;
    let model = project.model()?;
    let Some(own) = model.services.get(service) else { return Ok(()) };
    let runs = |name: &str| {
        let is_it = |container: &&Container| container.service == name && !container.one_off;
        preflight.before.iter().filter(is_it).any(|container| container.status == Status::Running)
    };
    let is_on = replicas::of_dependencies(
        model,
        &project.environment().profiles,
        &BTreeSet::from([service.to_owned()]),
        &preflight.before,
    );
    let absent: BTreeSet<String> = is_on.keys().filter(|name| !runs(name)).cloned().collect();
    if !absent.is_empty() {
        project.step(format_args!("starting {}", absent.iter().cloned().collect::<Vec<_>>().join(", ")));
        // Running services keep their number of containers, also if they were scaled.
        let mut numbers = is_on.clone();
        numbers.retain(|_, count| *count > 0);
        if create(project, &absent, &numbers, &preflight.before, &preflight)?.is_none() {
            return show(project, &absent, &preflight.before, &numbers);
        }
    }
    let waited_for = own.depends_on.iter().filter(|(name, dependency)| {
        dependency.required && dependency.condition != Condition::Started && model.services.contains_key(*name)
    });
    let awaited: BTreeSet<String> = waited_for.map(|(name, _)| name.clone()).collect();
    let is_pending = |container: &Container| absent.contains(&container.service);
    let services = is_on.into_keys().collect();
    let launch = Launch::new(project, &services, Baseline::new(&preflight.before), is_pending, &preflight)?;
    match launch.awaiting(awaited).run(until)?.readiness {
        Readiness::Ready => Ok(()),
        Readiness::Failed(unready) | Readiness::TimedOut(unready) => {
            let message = format!("what `{service}` depends on is not ready\n{}", describe(&unready));
            Err(Error::new(Exit::Unavailable, message).with_hint("`cargo xtask health` shows the state of the stack"))
        }
    }
}
