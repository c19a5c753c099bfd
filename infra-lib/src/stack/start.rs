//! Starting services and their dependencies.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::compose::container::Container;
use crate::compose::error::ComposeError;
use crate::project::Project;
use crate::project::error::Result;

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

    /// Creates and starts the containers with Compose. Services that were not named keep their number of containers.
    /// Returns `None` in a dry run.
    pub(crate) fn up(
        &self,
        project: &Project,
        named: &[String],
        scale: Replicas,
        patience: Duration,
    ) -> Result<Result<Option<()>, ComposeError>> {
        let mut numbers = Replicas::new();
        if !named.is_empty() {
            let profiles = &project.environment().profiles;
            numbers = replicas::of_dependencies(project.model()?, profiles, &self.selected, self.before());
            numbers.retain(|_, count| *count > 0);
        }
        numbers.extend(scale);
        let call = project.compose().call(["up", "-d"]).relay("compose").deadline(patience);
        let call = call.args(replicas::options(&numbers)).args(named.iter().cloned());
        Ok(project.compose().change(project.runner(), &call).map(|output| output.map(drop)))
    }
}
