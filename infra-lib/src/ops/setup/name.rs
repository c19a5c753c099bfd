//! A compose project name that no other checkout uses.

use sha2::{Digest as _, Sha256};

use crate::project::error::Result;
use crate::project::{Project, Record};

/// A record with a name of this checkout's own, if the usual one belongs to another folder.
pub(super) fn free(project: &Project) -> Result<Option<Record>> {
    let Some(record) = project.record().filter(|_| project.has_services() && project.environment().is_default) else {
        return Ok(None);
    };
    let containers = project.compose().containers(project.runner())?;
    let foreign = containers.iter().any(|container| !project.is_own(container));
    // Volumes say nothing about a folder; those that we have not noted and that none of our containers uses are not ours.
    let known = project.known_volumes();
    let stray =
        containers.is_empty() && project.volume_label()?.iter().any(|(name, made)| known.get(name) != Some(made));
    if !foreign && !stray {
        return Ok(None);
    }
    let digest = Sha256::digest(project.root().as_str());
    let suffix = format!("{:02x}{:02x}", digest[0], digest[1]);
    if project.name().ends_with(&suffix) {
        return Ok(None);
    }
    Ok(Some(Record { project_name: Some(format!("{}-{suffix}", project.name())), ..record.clone() }))
}
