//! Starting services and their dependencies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::compose::container::{Container, Status};
use crate::compose::error::ComposeError;
use crate::compose::readiness::Baseline;
use crate::project::Project;
use crate::project::error::Result;

use super::launch::begin::show;
use super::launch::{Launch, Launched};
use super::preflight::Preflight;
use super::replicas::{self, Replicas};

/// The default time for a stack to become ready. It does not include building and pulling images.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A start that has passed its preflight checks and holds the stack's lock.
pub(crate) struct Start {
    /// The named services, or those that are active.
    pub(crate) selected: BTreeSet<String>,
    /// The selected services and their dependencies.
    pub(crate) all: BTreeSet<String>,
    preflight: Preflight,
}

impl Start {
    /// Checks whether these services, or all active ones, can and may start with their dependencies.
    pub(crate) fn prepare(project: &Project, named: &[String], operation: &str) -> Result<Self> {
        let (mut selected, mut all) = (BTreeSet::new(), BTreeSet::new());
        let preflight = Preflight::check(project, operation, |_| {
            selected = project.select_services(named)?;
            let with = project.model()?.with_dependencies(selected.iter().map(String::as_str));
            all = with.into_keys().map(str::to_owned).collect();
            Ok(all.clone())
        })?;
        Ok(Self { selected, all, preflight })
    }

    /// The containers before the start.
    pub(crate) fn before(&self) -> &[Container] {
        &self.preflight.before
    }

    /// Creates the containers with Compose, and starts none. Services that were not named keep their number of
    /// containers. Returns `None` in a dry run.
    pub(crate) fn create(
        &self,
        project: &Project,
        named: &[String],
        scale: &Replicas,
        patience: Duration,
    ) -> Result<Result<Option<()>, ComposeError>> {
        let mut numbers = Replicas::new();
        if !named.is_empty() {
            let profiles = &project.environment().profiles;
            numbers = replicas::of_dependencies(project.model()?, profiles, &self.selected, self.before());
            numbers.retain(|_, count| *count > 0);
        }
        numbers.extend(scale.clone());
        // With their dependencies: without, they would get another configuration hash, and the next plain
        // `docker compose up` would recreate them.
        let call = project.compose().call(["up", "--no-start"]).relay("compose").deadline(patience);
        // What a release runs is replaced only by a deploy.
        let keep = project.release().map(|_| "--no-recreate");
        let call = call.args(keep).args(replicas::options(&numbers)).args(named.iter().cloned());
        let created = project.compose().change(project.runner(), &call).map(|output| output.map(drop));
        if matches!(created, Ok(None)) {
            show(project, &self.all, self.before(), &numbers)?;
        }
        Ok(created)
    }

    /// Starts the created containers in the order of their dependencies, and waits until they are ready.
    pub(crate) fn launch(&self, project: &Project, until: Instant) -> Result<Launched> {
        let is_up = |container: &Container| {
            !matches!(container.status, Status::Created | Status::Exited | Status::Dead | Status::Removing)
        };
        let running: Vec<Container> = self.before().iter().filter(|container| is_up(container)).cloned().collect();
        let is_pending = |container: &Container| !is_up(container);
        Launch::new(project, &self.all, Baseline::new(&running), is_pending, &self.preflight)?.run(until)
    }
}
