//! One operation at a time, where that matters.
//!
//! The locks are the kernel's: they end with the process that holds them, however it ends. What stands in a lock file
//! only tells who it is; nobody trusts it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exec::{CancelToken, ExecError};

/// What a lock keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// Setting up this checkout.
    Setup,
    /// Starting, stopping and cleaning the stack.
    Stack,
    /// The database's content: shared by those that read or add, exclusive for those that replace.
    Database,
    /// One backup at a time.
    Backup,
    /// The volumes' content: read or replaced by one at a time.
    Volumes,
    /// One migrator of this checkout at a time.
    Migration,
}

/// Whether others may hold the lock as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Together with others that share.
    Shared,
    /// Alone.
    Exclusive,
}

/// A held lock; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct Guard {
    file: File,
    alone: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Or the next holder would be taken for this one until it has signed. Others that share may still be at work.
        if self.alone {
            let _ = self.file.set_len(0);
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// What it does.
    pub operation: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody else has it.
    #[error("another operation is at work: {}", owner_words(.owner.as_ref()))]
    Held {
        /// Who, if it could be read.
        owner: Option<Owner>,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The caller stopped waiting.
    #[error(transparent)]
    Cancelled(#[from] ExecError),
}

impl LockError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Held { .. }).then(|| "wait for it to end, then try again".to_owned())
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
        }
    }

    /// Takes the lock, waiting at most `patience`; `on_wait` hears once whom we wait for.
    pub fn acquire(
        self,
        dir: &Utf8Path,
        mode: Mode,
        operation: &str,
        patience: Duration,
        cancel: &CancelToken,
        mut on_wait: impl FnMut(&str),
    ) -> Result<Guard, LockError> {
        let path = dir.join(self.file_name());
        let fail = |source| LockError::File { path: path.clone(), source };
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
                    // Whoever has just taken it may not have signed yet.
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
        // On a full disk nobody learns our name; `clean`, which may free some, must work all the same.
        let _ = write_owner(&mut file, &owner);
        Ok(Guard { file, alone: mode == Mode::Exclusive })
    }
}

/// How long after taking a lock its holder's name may be missing.
const SIGNING: Duration = Duration::from_millis(500);

/// A lock file is small; whatever else stands there is not read.
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
