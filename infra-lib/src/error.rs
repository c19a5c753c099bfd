//! The error of every operation, and what it means as an exit code.

use std::io;

use camino::Utf8PathBuf;

use crate::backup::BackupError;
use crate::compose::ComposeError;
use crate::consent::ConsentError;
use crate::dotenv::{DotenvError, EditError, FillError};
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::fs::WriteError;
use crate::lock::LockError;
use crate::manifest::ManifestError;
use crate::migrations::MigrationError;
use crate::postgres::PostgresError;
use crate::schedule::ScheduleError;

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation did not do what was asked.
///
/// The message is a lowercase fragment that does not repeat its source; [`Error::hint`] is the way out, and
/// [`Error::exit`] what a calling program sees.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program could not be run, or failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// `infra.toml` is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An env file is wrong.
    #[error(transparent)]
    Dotenv(#[from] DotenvError),
    /// Docker or Compose says no.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// PostgreSQL says no.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The migrations are not as they should be.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A job cannot be scheduled.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A backup is not what it should be, or could not be made.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Another operation is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nobody said yes.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// An env file cannot be changed in that way.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// An env file cannot be made from its template.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// A file was not written; what was there before still is.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write`, `create`…
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An operation's own finding.
    #[error("{message}")]
    Stopped {
        /// What it means.
        exit: Exit,
        /// What happened.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
}

impl Error {
    /// An operation's own finding, without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Stopped { exit, message: message.into(), hint: None }
    }

    /// Adds the way out to an operation's own finding; other errors know theirs.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Stopped { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    pub(crate) fn file(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// What the caller should try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exec(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Dotenv(error) => error.hint(),
            Self::Edit(error) => error.hint(),
            Self::Fill(error) => error.hint(),
            Self::Compose(error) => error.hint(),
            Self::Postgres(error) => error.hint(),
            Self::Migration(error) => error.hint(),
            Self::Schedule(error) => error.hint(),
            Self::Backup(error) => error.hint(),
            Self::Consent(error) => error.hint(),
            Self::Write(error) => file_hint(error.io()),
            Self::Lock(LockError::File { source, .. }) | Self::File { source, .. } => file_hint(source),
            Self::Lock(error) => error.hint(),
            Self::Stopped { hint, .. } => hint.clone(),
        }
    }

    /// The exit code: the one place where errors become numbers.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Exec(error) => exec_exit(error),
            Self::Fill(FillError::Generate(_)) => Exit::Io,
            Self::Manifest(_) | Self::Dotenv(_) | Self::Edit(_) | Self::Fill(_) => Exit::Config,
            Self::Compose(error) => error.exit(),
            Self::Postgres(error) => error.exit(),
            Self::Migration(error) => error.exit(),
            Self::Schedule(error) => error.exit(),
            Self::Backup(error) => error.exit(),
            Self::Lock(error) => match error {
                LockError::Held { .. } => Exit::Locked,
                LockError::Cancelled(error) => exec_exit(error),
                LockError::File { source, .. } => file_exit(source),
            },
            Self::Consent(error) => error.exit(),
            Self::Write(error) => file_exit(error.io()),
            Self::File { source, .. } => file_exit(source),
            Self::Stopped { exit, .. } => *exit,
        }
    }
}

pub(crate) fn exec_exit(error: &ExecError) -> Exit {
    match error {
        ExecError::NotFound { .. } | ExecError::Start { .. } => Exit::Unavailable,
        ExecError::Exited { .. } | ExecError::Signalled { .. } | ExecError::BadOutput { .. } => Exit::Failed,
        ExecError::TimedOut { .. } | ExecError::Stalled { .. } => Exit::Locked,
        ExecError::Cancelled { signal } => Exit::Signal(u8::try_from(*signal).unwrap_or(0)),
        ExecError::Pipe { .. } => Exit::Io,
    }
}

fn file_exit(error: &io::Error) -> Exit {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied
        | Kind::StorageFull
        | Kind::QuotaExceeded
        | Kind::FileTooLarge
        | Kind::ReadOnlyFilesystem
        | Kind::AlreadyExists => Exit::CannotCreate,
        _ => Exit::Io,
    }
}

fn file_hint(error: &io::Error) -> Option<String> {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => Some("check who owns it and its mode".to_owned()),
        Kind::StorageFull => Some("free some space; `cargo xtask df` shows what this project occupies".to_owned()),
        Kind::ReadOnlyFilesystem => Some("the file system is mounted read-only".to_owned()),
        _ => None,
    }
}
