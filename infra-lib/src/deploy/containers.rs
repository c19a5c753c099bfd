//! What a deploy does to containers. They are addressed by their ids.

use std::collections::BTreeMap;

use crate::compose::Container;
use crate::exec::Invocation;
use crate::project::Project;
use crate::project::error::Result;
use crate::stack::create::create_from_images;
use crate::stack::grace::stop_containers;

/// Creates containers until each service has this number; 0 means the number in the compose files. Existing ones stay
/// as they are.
pub(super) fn create(project: &Project, services: &BTreeMap<String, u32>) -> Result<()> {
    if services.is_empty() {
        return Ok(());
    }
    let named = services.keys().cloned().collect();
    let wanted = services.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (name.clone(), *count)).collect();
    create_from_images(project, &named, &wanted, &project.containers()?)
}

/// Stops these containers, each within its own time, databases last.
pub(super) fn stop<'a>(project: &Project, these: impl Iterator<Item = &'a Container> + Clone) -> Result<()> {
    Ok(stop_containers(project, project.model()?, these)?)
}

/// Stops and removes these containers.
pub(super) fn remove<'a>(project: &Project, these: impl Iterator<Item = &'a Container> + Clone) -> Result<()> {
    let ids: Vec<&str> = these.clone().map(|container| container.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    stop(project, these)?;
    let call = Invocation::new("docker").args(["rm", "--force"]).args(ids);
    project.compose().change(project.runner(), &call)?;
    Ok(())
}
