//! Restarting services in the order of their dependencies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::compose::container::{Container, Status};
use crate::compose::error::ComposeError;
use crate::compose::model::Service;
use crate::compose::readiness::Baseline;
use crate::exec::error::ExecError;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::services::{Readiness, UnreadyContainer};

use super::create::create;
use super::grace::stop_groups;
use super::launch::Launch;
use super::launch::begin::show;
use super::levels::levels;
use super::preflight::Preflight;
use super::replicas::{self, Replicas};

/// The result of a restart.
pub(crate) struct Restarted {
    /// The restarted services, in this order.
    pub(crate) services: Vec<String>,
    /// The services that were not restarted, since a dependency did not become ready.
    pub(crate) left: Vec<String>,
    pub(crate) readiness: Readiness,
}

impl Restarted {
    /// What is not ready, one line per container.
    pub(crate) fn not_ready(&self) -> Vec<String> {
        let unready: &[UnreadyContainer] = match &self.readiness {
            Readiness::Ready => &[],
            Readiness::Failed(unready) | Readiness::TimedOut(unready) => unready,
        };
        unready.iter().map(|unready| format!("{}: {}", unready.service, unready.state)).collect()
    }
}

/// A restart that has passed its preflight checks and holds the stack's lock.
pub(crate) struct Restart {
    services: BTreeSet<String>,
    preflight: Preflight,
}

impl Restart {
    /// Checks whether these services, or all if none are named, can and may be restarted.
    pub(crate) fn prepare(project: &Project, named: &[String], operation: &str) -> Result<Self> {
        let mut services = BTreeSet::new();
        let preflight = Preflight::check(project, operation, |containers| {
            services = affected(project, named, containers)?;
            Ok(services.clone())
        })?;
        Ok(Self { services, preflight })
    }

    /// Restarts the services in groups, each after its dependencies are ready again. Creates missing containers.
    pub(crate) fn run(self, project: &Project, patience: Duration) -> Result<Restarted> {
        let mut ended = Restarted { services: Vec::new(), left: Vec::new(), readiness: Readiness::Ready };
        if self.services.is_empty() {
            return Ok(ended);
        }
        let mut seen = self.preflight.before.clone();
        for level in levels(project.model()?, &self.services) {
            if matches!(ended.readiness, Readiness::Ready) {
                ended.readiness = self.restart(project, &level, patience, &mut seen)?;
                ended.services.extend(level);
            } else {
                ended.left.extend(level);
            }
        }
        Ok(ended)
    }

    /// Restarts these services together and waits until they are ready.
    fn restart(
        &self,
        project: &Project,
        services: &BTreeSet<String>,
        patience: Duration,
        seen: &mut Vec<Container>,
    ) -> Result<Readiness> {
        let until = Instant::now() + patience;
        project.step(format_args!("restarting {}", services.iter().cloned().collect::<Vec<_>>().join(", ")));
        let (absent, present): (BTreeSet<_>, BTreeSet<_>) =
            services.iter().cloned().partition(|service| replicas::count(seen, service) == 0);
        let mut is_dry = false;
        for group in stop_groups(project.model()?, &present) {
            let call = project.compose().call_all(["restart", "--no-deps"]).args(group.option("--timeout"));
            let call = call.args(&group.services);
            match project.compose().change(project.runner(), &call.relay("compose")) {
                Ok(ended) => is_dry |= ended.is_none(),
                Err(error) => return unstartable(project, services, error),
            }
        }
        if !absent.is_empty() && create(project, &absent, &Replicas::new(), seen, &self.preflight)?.is_none() {
            show(project, &absent, seen, &Replicas::new())?;
            is_dry = true;
        }
        if is_dry {
            return Ok(Readiness::Ready);
        }
        // The engine resets the restart count after a manual restart.
        let is_pending = |container: &Container| container.status == Status::Created;
        let launch = Launch::new(project, services, Baseline::default(), is_pending, &self.preflight)?;
        let launched = launch.run(until)?;
        *seen = launched.seen;
        Ok(launched.readiness)
    }
}

/// Checks, restarts and waits.
pub(crate) fn restart(project: &Project, named: &[String], patience: Duration) -> Result<Restarted> {
    Restart::prepare(project, named, "restart")?.run(project, patience)
}

/// A container that cannot be started again is a result, not a failed command.
fn unstartable(project: &Project, services: &BTreeSet<String>, error: ComposeError) -> Result<Readiness> {
    if !matches!(error, ComposeError::Failed(ExecError::Exited { .. })) {
        return Err(error.into());
    }
    let failed = project.failed(services)?;
    if failed.is_empty() { Err(error.into()) } else { Ok(Readiness::Failed(failed)) }
}

/// The services that are named, active, or have a container, and their dependents with `restart: true`.
fn affected(project: &Project, named: &[String], containers: &[Container]) -> Result<BTreeSet<String>> {
    if !project.has_services() {
        return Ok(BTreeSet::new());
    }
    let mut affected = project.select_services(named)?;
    let model = project.model()?;
    if named.is_empty() {
        let present = containers.iter().filter(|container| !container.one_off).map(|container| &container.service);
        affected.extend(present.filter(|service| model.services.contains_key(*service)).cloned());
        return Ok(affected);
    }
    loop {
        let follows = |service: &Service| {
            service.depends_on.iter().any(|(name, dependency)| dependency.restart && affected.contains(name))
        };
        let more = model.services.iter().filter(|(name, service)| !affected.contains(*name) && follows(service));
        let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return Ok(affected);
        }
        affected.extend(more);
    }
}
