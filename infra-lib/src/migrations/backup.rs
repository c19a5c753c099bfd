//! The backup that comes before a change.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::ops::{DbBackup, DbBackupReport};
use crate::project::Project;

/// Makes a backup, and says where it is. `None`: `infra.toml` says that none is wanted, and nothing is protected; or this
/// is a dry run.
pub(crate) fn safety_backup(project: &Project) -> Result<Option<Utf8PathBuf>> {
    let wanted = project.manifest().migrations.backup_first.unwrap_or(true);
    if !(wanted || project.environment().protected) || project.runner().is_dry_run() {
        return Ok(None);
    }
    let DbBackupReport::Made(made) = project.nested(&DbBackup::default())? else { return Ok(None) };
    if let Some(reason) = made.suspect.first() {
        // Somebody should look before more is changed; where data can be made again, it is enough to say so.
        if project.environment().protected {
            return Err(Error::new(
                Exit::CheckFailed,
                format!("the backup {} is suspect: {reason}; nothing was changed", made.path),
            ));
        }
        project.warn(format_args!("the backup {} is suspect: {reason}", made.path));
    }
    let path = made.path;
    Ok(Some(path.strip_prefix(project.root()).unwrap_or(&path).to_owned()))
}
