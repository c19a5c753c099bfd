//! The backup that comes before a change.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

/// Makes a backup, and says where it is. `None`: `infra.toml` says that none is wanted, and nothing is protected.
pub(crate) fn safety_backup(project: &Project) -> Result<Option<Utf8PathBuf>> {
    let wanted = project.manifest().migrations.backup_first.unwrap_or(true);
    if !(wanted || project.environment().protected) || project.runner().is_dry_run() {
        return Ok(None);
    }
    if project.environment().protected {
        return Err(Error::new(
            Exit::Refused,
            "no backup can be made yet, and a protected database is not changed without one",
        ));
    }
    Ok(None)
}
