//! Locks between processes that must not run the same kind of operation at the same time.
//!
//! These are kernel locks, which end with the process that holds them, however it ends. The content of a lock file
//! only describes the holder; correctness never depends on it.

use crate::exit::Exit;
use crate::failure::{ErrorKind, Failure};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cancel::CancelToken;
use crate::cancel::Cancelled;
use crate::fs::error::FileError;

/// What a lock protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The setup of this checkout.
    Setup,
    /// Starting, stopping and cleaning the stack.
    Stack,
    /// The database's content: shared for reading and adding, exclusive for replacing.
    Database,
    /// The backup folder: one backup at a time.
    Backup,
    /// The content of the volumes: one reader or writer at a time.
    Volumes,
    /// Migrations: one run of this checkout at a time.
    Migration,
    /// Deploys: one at a time, and no start in the middle of one.
    Deploy,
}

/// Whether other processes may hold the lock as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Shared with other holders in this mode.
    Shared,
    /// Held by one process only.
    Exclusive,
}

/// A held lock, released when this is dropped.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub(crate) struct Guard {
    file: File,
    alone: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Clear the owner, so that the next holder is not mistaken for this one. Shared holders may still be active.
        if self.alone {
            let _ = self.file.set_len(0);
        }
    }
}

/// The holder of a lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The holder's process id.
    pub(crate) pid: u32,
    /// The operation that it runs.
    pub(crate) operation: String,
    /// When it acquired the lock.
    pub(crate) since: Timestamp,
}

/// Why a lock could not be acquired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process holds it.
    #[error("another operation is running: {}", owner_words(.owner.as_ref()))]
    Held {
        /// The holder, if it could be read.
        owner: Option<Owner>,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    File(FileError),
    /// The caller was cancelled while waiting.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Failure for LockError {
    fn exit(&self) -> Exit {
        match self {
            Self::Held { .. } => Exit::TempFail,
            Self::Cancelled(error) => error.exit(),
            Self::File(error) => error.exit(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Held { .. } => ErrorKind::Locked,
            _ => self.exit().into(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("wait for it to end, then try again".to_owned()),
            Self::File(error) => error.hint(),
            Self::Cancelled(_) => None,
        }
    }
}

fn owner_words(owner: Option<&Owner>) -> String {
    match owner {
        Some(Owner { pid, operation, since }) => format!("`{operation}`, process {pid}, since {since:.0}"),
        None => "its name could not be read".to_owned(),
    }
}

impl Lock {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Setup => "setup.lock",
            Self::Stack => "stack.lock",
            Self::Database => "database.lock",
            Self::Backup => "backup.lock",
            Self::Volumes => "volumes.lock",
            Self::Migration => "migration.lock",
            Self::Deploy => "deploy.lock",
        }
    }

    /// Acquires the lock, waiting up to `patience`. `on_wait` is called once with the current holder.
    pub(crate) fn acquire(
        self,
        dir: &Utf8Path,
        mode: Mode,
        operation: &str,
        patience: Duration,
        cancel: &CancelToken,
        mut on_wait: impl FnMut(&str),
    ) -> Result<Guard, LockError> {
        let path = dir.join(self.file_name());
        let fail = |source| LockError::File(FileError::on("lock", path.clone())(source));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(fail)?;
        let end = Instant::now() + patience;
        let mut told = false;
        loop {
            let taken = match mode {
                Mode::Shared => file.try_lock_shared(),
                Mode::Exclusive => file.try_lock(),
            };
            match taken {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(fail(source)),
                Err(TryLockError::WouldBlock) => {
                    let owner = read_owner(&mut file);
                    // The current holder may not have written its name yet.
                    let signed = owner.is_some() || Instant::now() >= end + SIGNING;
                    if Instant::now() >= end && signed {
                        return Err(LockError::Held { owner });
                    }
                    if !told && owner.is_some() {
                        on_wait(&format!("waiting for {}", owner_words(owner.as_ref())));
                        told = true;
                    }
                    cancel.sleep(Duration::from_millis(100))?;
                }
            }
        }
        let owner = Owner { pid: std::process::id(), operation: operation.to_owned(), since: Timestamp::now() };
        // On a full disk the name is missing. The lock must work anyway, since `clean` may free some space.
        let _ = write_owner(&mut file, &owner);
        Ok(Guard { file, alone: mode == Mode::Exclusive })
    }
}

/// How long the holder's name may be missing after it acquired the lock.
const SIGNING: Duration = Duration::from_millis(500);

/// Maximum number of bytes read from a lock file.
const OWNER_LIMIT: u64 = 1024;

fn read_owner(file: &mut File) -> Option<Owner> {
    file.rewind().ok()?;
    let mut text = String::new();
    file.take(OWNER_LIMIT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_owner(file: &mut File, owner: &Owner) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(owner)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(dir: &Utf8Path, mode: Mode) -> Result<Guard, LockError> {
        Lock::Database.acquire(dir, mode, "test", Duration::ZERO, &CancelToken::new(), |_| {})
    }

    #[test]
    fn shared_together_exclusive_alone_and_the_holder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let first = take(dir, Mode::Shared).unwrap();
        let second = take(dir, Mode::Shared).unwrap();
        let refused = take(dir, Mode::Exclusive).unwrap_err();
        assert!(refused.to_string().contains(&format!("`test`, process {}", std::process::id())), "{refused}");
        drop((first, second));
        let _alone = take(dir, Mode::Exclusive).unwrap();
        assert!(matches!(take(dir, Mode::Shared), Err(LockError::Held { .. })));
    }

    #[test]
    fn s39_the_content_of_a_lock_file_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::write(dir.join("database.lock"), vec![b'{'; 1 << 20]).unwrap();
        let _held = take(dir, Mode::Exclusive).unwrap();
    }

    #[test]
    fn s16_a_symlink_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.join("database.lock")).unwrap();
        assert!(matches!(take(dir, Mode::Shared), Err(LockError::File { .. })));
    }
}
