//! Hints for errors of backups where the backup is a volume's.

use crate::backup::BackupError;
use crate::project::error::Error;

/// The error with the commands for volumes instead of those for databases.
pub(crate) fn of_volume(error: Error) -> Error {
    let hint = match error.downcast_ref() {
        Some(BackupError::Manifest { .. } | BackupError::Damaged { .. }) => {
            "use another backup (`cargo xtask volume-backup --list`), and check this disk"
        }
        Some(BackupError::Incomplete { .. }) => "nothing was published; `cargo xtask ps` shows what uses the volume",
        Some(BackupError::Differs { .. }) => {
            "the volume is unchanged; `cargo xtask volume-backup --list` lists other backups"
        }
        _ => return error,
    };
    Error::new(error.exit(), error.to_string()).with_hint(hint)
}
