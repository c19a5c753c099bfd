//! The safety backup before a change.

use camino::Utf8PathBuf;

use crate::exit::Exit;
use crate::project::Project;

use super::make::{BackupJob, share_database};
use super::prune;
use crate::project::error::{Error, Result};

/// The operation name recorded for the backup.
const OPERATION: &str = "db-backup";

/// Makes a backup and reports its path. `None` if `infra.toml` disables it and the environment is not protected, or
/// in a dry run.
pub(crate) fn safety_backup(project: &Project) -> Result<Option<Utf8PathBuf>> {
    let wanted = project.config().migrations.backup_first.unwrap_or(true);
    if !(wanted || project.environment().protected) || project.runner().is_dry_run() {
        return Ok(None);
    }
    let _shared = share_database(project, OPERATION)?;
    let Some(made) = BackupJob::from_config(&project.config().backup, OPERATION).run(project)? else { return Ok(None) };
    prune::after_backup(project, OPERATION, &made.manifest);
    if let Some(reason) = made.manifest.suspect.first() {
        // In a protected environment, stop until a person has checked; elsewhere, a warning is enough.
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
