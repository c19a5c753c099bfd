//! Setting the number of containers of services.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::container::{Container, Status};
use crate::compose::model::{Condition, Model};
use crate::compose::readiness::Baseline;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::services::Readiness;

use super::create::create;
use super::launch::begin::show;
use super::launch::{Launch, Launched};
use super::preflight::Preflight;
use super::replicas::Replicas;

/// The result of scaling.
pub(crate) struct Scaled {
    /// The containers before scaling.
    pub(crate) before: Vec<Container>,
    /// The containers after scaling.
    pub(crate) after: Vec<Container>,
    pub(crate) readiness: Readiness,
}

/// Sets the number of containers of each service and waits until they are ready, dependencies first. Changes nothing
/// else.
pub(crate) fn scale(project: &Project, wanted: &Replicas, operation: &str, until: Instant) -> Result<Scaled> {
    let started: BTreeSet<String> =
        wanted.iter().filter(|(_, count)| **count > 0).map(|(name, _)| name.clone()).collect();
    let preflight = Preflight::check(project, operation, |_| Ok(started.clone()))?;
    let text = wanted.iter().map(|(service, count)| format!("{service}={count}")).collect::<Vec<_>>();
    project.step(format_args!("scaling {}", text.join(", ")));
    let before = preflight.before.clone();
    let model = project.model()?;
    warn_of_absent_dependencies(project, model, &started, &before);
    let named = wanted.keys().cloned().collect();
    let created = create(project, &named, wanted, &before, &preflight)?;
    if created.is_none() {
        show(project, &started, &before, wanted)?;
        return Ok(Scaled { after: before.clone(), before, readiness: Readiness::Ready });
    }
    let is_pending = |container: &Container| matches!(container.status, Status::Created | Status::Exited);
    let launch = Launch::new(project, &started, Baseline::new(&before), is_pending, &preflight)?;
    let Launched { readiness, seen: after, .. } = launch.run(until)?;
    Ok(Scaled { before, after, readiness })
}

/// Warns about dependencies that are not running. They are not started, since only the named services change.
fn warn_of_absent_dependencies(
    project: &Project,
    model: &Model,
    services: &BTreeSet<String>,
    containers: &[Container],
) {
    let runs = |name: &str| {
        containers.iter().any(|container| container.service == name && container.status == Status::Running)
    };
    for name in services {
        let needed = model.services.get(name).into_iter().flat_map(|service| &service.depends_on);
        let absent = needed.filter(|(name, dependency)| {
            dependency.required
                && dependency.condition != Condition::Completed
                && !services.contains(*name)
                && !runs(name)
        });
        for (dependency, _) in absent {
            project.warn(format_args!(
                "`{name}` depends on `{dependency}`, which does not run; `cargo xtask start {dependency}` starts it"
            ));
        }
    }
}
