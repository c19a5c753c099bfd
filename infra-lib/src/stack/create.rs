//! Creating containers of some services without changing any other service.
//!
//! The containers are created together with their dependencies: with `up --no-deps` alone, they would get a different
//! configuration hash, and the next plain `docker compose up` would recreate them.

use std::collections::BTreeSet;

use crate::compose::container::Container;
use crate::project::Project;
use crate::project::error::Result;

use super::preflight::Preflight;
use super::replicas::{self, Replicas};

/// Creates the missing containers of these services, and removes those above the wanted number, by default the number
/// in the compose files. Starts nothing, and does not change other services. Returns `None` in a dry run.
pub(super) fn create(
    project: &Project,
    services: &BTreeSet<String>,
    wanted: &Replicas,
    containers: &[Container],
    _passed: &Preflight,
) -> Result<Option<()>> {
    create_with(project, services, wanted, containers, &[])
}

/// Like `create`, and neither builds nor pulls.
pub(crate) fn create_from_images(
    project: &Project,
    services: &BTreeSet<String>,
    wanted: &Replicas,
    containers: &[Container],
) -> Result<()> {
    create_with(project, services, wanted, containers, &["--no-build", "--pull", "never"]).map(drop)
}

fn create_with(
    project: &Project,
    services: &BTreeSet<String>,
    wanted: &Replicas,
    containers: &[Container],
    flags: &[&str],
) -> Result<Option<()>> {
    let mut all = replicas::of_dependencies(project.model()?, &project.environment().profiles, services, containers);
    all.extend(wanted.clone());
    let call = project
        .compose()
        .call(["up", "--no-start", "--no-recreate"])
        .args(flags)
        .args(replicas::options(&all))
        .args(services.iter().cloned())
        .relay("compose");
    Ok(project.compose().change(project.runner(), &call)?.map(drop))
}
