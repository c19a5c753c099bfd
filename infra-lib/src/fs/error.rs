//! Why a file was not written.

use std::io::{Error, ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};

/// Why a file could not be written. What was there before is still there, whole.
///
/// ```
/// let error = infra_lib::fs::atomic::replace("/no/such/folder/.env".into(), b"A=1\n").unwrap_err();
/// assert_eq!(error.to_string(), "cannot open the folder of /no/such/folder/.env");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {path}")]
pub struct WriteError {
    pub(super) path: Utf8PathBuf,
    pub(super) step: Step,
    #[source]
    pub(super) source: Error,
}

/// What was being done.
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
    /// Whether the file was to be new, and is there.
    pub fn already_exists(&self) -> bool {
        self.step == Step::Create && self.source.kind() == ErrorKind::AlreadyExists
    }

    /// The file that was to be written.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// What the system said.
    pub fn io(&self) -> &Error {
        &self.source
    }

    /// What to do about it.
    ///
    /// ```
    /// let error = infra_lib::fs::atomic::create_new("/dev/null".into(), b"").unwrap_err();
    /// assert!(error.hint().unwrap().contains("never overwritten"));
    /// ```
    pub fn hint(&self) -> Option<String> {
        let hint = match (self.step, self.source.kind()) {
            (Step::Create, ErrorKind::AlreadyExists) => "it is never overwritten; edit it, or move it away",
            (Step::Link, _) => "replace the link by the file that it names",
            (Step::Owner, _) => "run this as the file's owner",
            (_, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "free some space on that disk",
            (_, ErrorKind::PermissionDenied) => "see who owns the folder and the file",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
