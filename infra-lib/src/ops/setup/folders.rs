//! Folders that must be there before the engine makes them as root.

use camino::Utf8PathBuf;

use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::state::private_dir;

/// Makes the folders that services mount from the project, and the one for backups.
pub(super) fn make(project: &Project) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    for folder in mounted(project)? {
        let what = format!("create the folder {}", folder.strip_prefix(project.root()).unwrap_or(&folder));
        project.runner().apply(&what, || std::fs::create_dir_all(&folder)).map_err(Error::file("create", folder))?;
        changes.push(super::made(project, what));
    }
    let backups = project.root().join(project.config().backup.dir.as_deref().unwrap_or("backups".into()));
    if !backups.exists() && backups.parent().is_some_and(camino::Utf8Path::is_dir) {
        let what =
            format!("create the folder {} (mode 0700)", backups.strip_prefix(project.root()).unwrap_or(&backups));
        let made = project.runner().apply(&what, || private_dir(&backups)).map_err(Error::file("create", backups))?;
        changes.extend(made.is_some().then(|| super::made(project, what)));
    }
    Ok(changes)
}

/// Bind mounts of active services whose source is missing, inside the project, and looks like a folder.
fn mounted(project: &Project) -> Result<Vec<Utf8PathBuf>> {
    if !project.has_services() {
        return Ok(Vec::new());
    }
    let model = project.model()?;
    let services = model.active(&project.environment().profiles);
    let sources = services.values().flat_map(|service| &service.volumes).filter(|mount| mount.kind == "bind");
    let mut folders: Vec<_> = sources
        .filter_map(|mount| mount.source.as_deref().map(Utf8PathBuf::from))
        .filter(|source| source.starts_with(project.root()) && !source.exists() && source.extension().is_none())
        .collect();
    folders.sort();
    folders.dedup();
    Ok(folders)
}
