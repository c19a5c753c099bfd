//! Errors of a start that pass by themselves.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

/// How long to retry a start when too many files are open.
pub(super) const FILES_PATIENCE: Duration = Duration::from_secs(1);

/// Whether the error is temporary: too many open files, or a new program that a child of another thread still holds
/// open.
pub(super) fn passes(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::MFILE | Errno::NFILE | Errno::TXTBSY))
}
