//! The trait of every error in this crate: exit code, kind and hint.

use std::any::Any;

use crate::exit::Exit;

/// An error that knows its exit code, its kind and how to fix it.
///
/// Each part of the crate has its own error type. Implement this trait for your own error type, and `?` turns it into
/// an [`Error`](crate::Error) inside an operation.
///
/// ```
/// use infra_lib::{Error, Exit, Failure};
///
/// #[derive(Debug)]
/// struct QuotaExceeded;
///
/// impl std::fmt::Display for QuotaExceeded {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("the quota is exceeded")
///     }
/// }
/// impl std::error::Error for QuotaExceeded {}
/// impl Failure for QuotaExceeded {
///     fn exit(&self) -> Exit {
///         Exit::Refused
///     }
/// }
///
/// let error = Error::from(QuotaExceeded);
/// assert_eq!(error.exit(), Exit::Refused);
/// assert!(error.downcast_ref::<QuotaExceeded>().is_some());
/// ```
pub trait Failure: std::error::Error + Any + Send + Sync {
    /// The exit code of a command that ends with this error.
    fn exit(&self) -> Exit;

    /// The kind of the error. By default, it is derived from the exit code.
    fn kind(&self) -> ErrorKind {
        self.exit().into()
    }

    /// How to fix it: a sentence that starts with a verb. `None` if no general remedy exists.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// What went wrong, for callers that handle errors. More precise than the exit code, which several kinds share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operation failed and changed nothing.
    Failed,
    /// A check found a problem.
    CheckFailed,
    /// The operation failed after it had changed something.
    Partial,
    /// The call was wrong: an unknown option or an invalid value.
    Usage,
    /// The operation needs confirmation and did not get it.
    NotConfirmed,
    /// A backup, a manifest or a migration is damaged or incompatible.
    BadData,
    /// A named backup, service, task, database or version does not exist.
    NotFound,
    /// A program is not installed.
    ProgramNotFound,
    /// The Docker engine or the database does not answer.
    Unavailable,
    /// A file cannot be created: the disk is full, or permission is denied.
    CannotCreate,
    /// Reading or writing failed.
    Io,
    /// Another operation holds the lock.
    Locked,
    /// A wait or a program timed out.
    TimedOut,
    /// A safety check refused the operation.
    Refused,
    /// The server refused the login.
    LoginRefused,
    /// `infra.toml`, an env file or a compose file is invalid.
    Config,
    /// The caller or a signal cancelled the operation.
    Cancelled,
    /// A program run on the user's behalf failed with its own exit code.
    Child,
}

impl ErrorKind {
    /// The value of `error.code` in JSON. Several kinds may share a code.
    ///
    /// ```
    /// use infra_lib::ErrorKind;
    /// assert_eq!(ErrorKind::TimedOut.code(), "timed-out");
    /// ```
    pub fn code(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::CheckFailed => "check-failed",
            Self::Partial => "partial",
            Self::Usage | Self::NotConfirmed => "usage",
            Self::BadData => "bad-data",
            Self::NotFound => "not-found",
            Self::ProgramNotFound | Self::Unavailable => "unavailable",
            Self::CannotCreate => "cannot-create",
            Self::Io => "io",
            Self::Locked => "locked",
            Self::TimedOut => "timed-out",
            Self::Refused | Self::LoginRefused => "refused",
            Self::Config => "config",
            Self::Cancelled => "signal",
            Self::Child => "child",
        }
    }
}

impl From<Exit> for ErrorKind {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Ok | Exit::Failed => Self::Failed,
            Exit::CheckFailed => Self::CheckFailed,
            Exit::Partial => Self::Partial,
            Exit::Usage => Self::Usage,
            Exit::BadData => Self::BadData,
            Exit::NotFound => Self::NotFound,
            Exit::Unavailable => Self::Unavailable,
            Exit::CannotCreate => Self::CannotCreate,
            Exit::Io => Self::Io,
            Exit::TempFail => Self::TimedOut,
            Exit::Refused => Self::Refused,
            Exit::Config => Self::Config,
            Exit::Signal(_) => Self::Cancelled,
            Exit::Child(_) => Self::Child,
        }
    }
}
