//! Errors of file access.

use crate::exit::Exit;
use crate::failure::Failure;
use std::io::{Error, ErrorKind};

use camino::Utf8PathBuf;

/// Why a file could not be written. The previous content is unchanged.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {path}")]
pub struct WriteError {
    pub(super) path: Utf8PathBuf,
    pub(super) step: Step,
    #[source]
    pub(super) source: Error,
}

/// The step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Step {
    #[error("open the folder of")]
    OpenFolder,
    #[error("look at")]
    Look,
    #[error("create a file beside")]
    Draft,
    #[error("keep the owner of")]
    Owner,
    #[error("write")]
    Write,
    #[error("write through the link")]
    Link,
    #[error("create")]
    Create,
    #[error("replace")]
    Replace,
    #[error("sync the folder of")]
    Sync,
}

impl WriteError {
    /// Whether a new file was requested but the name is already taken.
    pub(crate) fn already_exists(&self) -> bool {
        self.step == Step::Create && self.source.kind() == ErrorKind::AlreadyExists
    }
}

impl Failure for WriteError {
    fn exit(&self) -> Exit {
        io_exit(&self.source)
    }

    fn hint(&self) -> Option<String> {
        let hint = match (self.step, self.source.kind()) {
            (Step::Create, ErrorKind::AlreadyExists) => "it is never overwritten; edit it, or move it away",
            (Step::Link, _) => "replace the link by the file that it names",
            (Step::Owner, _) => "run this as the file's owner",
            (_, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "free some space on that disk",
            (_, ErrorKind::PermissionDenied) => "check who owns the folder and the file",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// A file or folder could not be read, written or created.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}")]
pub(crate) struct FileError {
    /// The attempted action: `read`, `write`, `create`…
    action: &'static str,
    path: Utf8PathBuf,
    #[source]
    source: Error,
}

impl FileError {
    /// Returns a function for `map_err` that adds the action and the path to an I/O error.
    pub(crate) fn on(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(Error) -> Self {
        let path = path.into();
        move |source| Self { action, path, source }
    }
}

impl Failure for FileError {
    fn exit(&self) -> Exit {
        io_exit(&self.source)
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.source.kind() {
            ErrorKind::PermissionDenied => "check who owns it and its mode",
            ErrorKind::StorageFull => "free some space; `cargo xtask df` shows what this project uses",
            ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// `CannotCreate` (73) if something cannot be created, `Io` (74) for every other system error.
fn io_exit(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::FileTooLarge
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::AlreadyExists => Exit::CannotCreate,
        _ => Exit::Io,
    }
}
