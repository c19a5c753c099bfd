//! Setting the number of containers of services.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::container::{Container, Status};
use crate::compose::model::{Condition, Model};
use crate::compose::readiness::Baseline;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::services::Readiness;

use super::create::{create, start_created};
use super::levels::levels;
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
    let mut readiness = Readiness::Ready;
    let named = wanted.keys().cloned().collect();
    let created = create(project, &named, wanted, &before, &preflight)?;
    let mut after = if created.is_some() { project.containers()? } else { before.clone() };
    project.remember_volumes(&after)?;
    let baseline = Baseline::new(&before);
    for level in levels(model, &started) {
        if start_created(project, &level, wanted, &preflight)?.is_none() {
            continue;
        }
        after = project.containers()?;
        readiness = project.wait_ready_from(&mut after, &level, &baseline, until)?;
        if !matches!(readiness, Readiness::Ready) {
            break;
        }
    }
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
