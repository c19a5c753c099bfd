//! A temporary file that is renamed to its target when it is complete.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::error::{Step, WriteError};

const SUFFIX: &str = ".infra-draft";

/// Age after which a draft is considered abandoned; far longer than a write takes.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// The opened folder of a file that will be written.
pub(super) struct Folder<'a> {
    pub(super) path: &'a Utf8Path,
    pub(super) name: &'a str,
    pub(super) fd: OwnedFd,
}

/// A written and synced file next to the target. It is removed when dropped, unless it was renamed to the target.
pub(super) struct Draft<'a> {
    folder: &'a Folder<'a>,
    pub(super) name: String,
    placed: bool,
    // Kept open and locked: a draft whose lock is free belongs to a dead writer.
    file: File,
}

impl<'a> Folder<'a> {
    /// Opens the folder and removes abandoned drafts of this file.
    pub(super) fn open(path: &'a Utf8Path) -> Result<Self, WriteError> {
        let failed = |errno: Errno| WriteError { path: path.to_owned(), step: Step::OpenFolder, source: errno.into() };
        let name = path.file_name().ok_or_else(|| failed(Errno::INVAL))?;
        let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = parent.unwrap_or(Utf8Path::new(".")).as_std_path();
        let fd = rustix::fs::open(parent, flags, Mode::empty()).map_err(failed)?;
        let folder = Self { path, name, fd };
        folder.sweep();
        Ok(folder)
    }

    pub(super) fn failed(&self, step: Step, source: impl Into<std::io::Error>) -> WriteError {
        WriteError { path: self.path.to_owned(), step, source: source.into() }
    }

    /// Writes `bytes` under a temporary name; `owner` is the user and group that the file must have.
    pub(super) fn draft(&self, bytes: &[u8], owner: Option<(u32, u32)>) -> Result<Draft<'_>, WriteError> {
        let draft = self.new_draft().map_err(|errno| self.failed(Step::Draft, errno))?;
        // If locks are not supported, only its age protects a live draft from being removed.
        let _ = draft.file.try_lock();
        if let Some(owner) = owner {
            draft.belong(owner).map_err(|errno| self.failed(Step::Owner, errno))?;
        }
        let written = (&draft.file).write_all(bytes).and_then(|()| draft.file.sync_all());
        written.map_err(|error| self.failed(Step::Write, error))?;
        Ok(draft)
    }

    fn new_draft(&self) -> Result<Draft<'_>, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut attempt = 0_u32;
        loop {
            let name = format!("{}{}-{attempt}{SUFFIX}", self.prefix(), std::process::id());
            match rustix::fs::openat(&self.fd, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => {
                    return Ok(Draft { folder: self, name, placed: false, file: file.into() });
                }
                Err(Errno::EXIST) if attempt < 1000 => attempt += 1,
                Err(errno) => return Err(errno),
            }
        }
    }

    fn prefix(&self) -> String {
        format!(".{}.", self.name)
    }

    fn sweep(&self) {
        remove_dead(self.fd.as_fd(), &self.prefix());
    }
}

/// Removes abandoned drafts in an open folder whose names begin with `prefix`.
pub(crate) fn remove_dead(folder: BorrowedFd<'_>, prefix: &str) {
    let Ok(entries) = Dir::read_from(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy();
        if name.starts_with(prefix) && is_draft(&name) && is_dead(folder, &name) {
            let _ = rustix::fs::unlinkat(folder, &*name, AtFlags::empty());
        }
    }
}

/// Whether it has a name that `new_draft` makes: `.<name>.<process>-<attempt>.infra-draft`.
fn is_draft(name: &str) -> bool {
    let numbers =
        name.strip_suffix(SUFFIX).and_then(|rest| rest.rsplit_once('.')).and_then(|(_, end)| end.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, attempt)| is_number(process) && is_number(attempt))
}

fn is_dead(folder: BorrowedFd<'_>, name: &str) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(folder, name, flags, Mode::empty()) else {
        return false;
    };
    let file = File::from(file);
    let old = |time| SystemTime::now().duration_since(time).is_ok_and(|age| age > DEAD_AFTER);
    file.metadata().and_then(|metadata| metadata.modified()).is_ok_and(old) && file.try_lock().is_ok()
}

impl Draft<'_> {
    /// Sets the file's owner. A failure to set the group is ignored, since mode 0600 gives the group no access.
    fn belong(&self, (user, group): (u32, u32)) -> Result<(), Errno> {
        let stat = rustix::fs::fstat(&self.file)?;
        if (stat.st_uid, stat.st_gid) == (user, group) {
            return Ok(());
        }
        match rustix::fs::fchown(&self.file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group))) {
            Err(_) if stat.st_uid == user => Ok(()),
            changed => changed,
        }
    }

    /// Sets the mode after the file is complete.
    pub(super) fn set_mode(self, mode: Mode) -> Result<Self, WriteError> {
        rustix::fs::fchmod(&self.file, mode).map_err(|errno| self.folder.failed(Step::Write, errno))?;
        Ok(self)
    }

    /// Renames the file to the target, replacing an existing one, and syncs the folder.
    pub(super) fn replace(mut self) -> Result<(), WriteError> {
        let Folder { fd, name, .. } = self.folder;
        let renamed = rustix::fs::renameat(fd, &self.name, fd, *name);
        self.settle(Step::Replace, renamed)
    }

    /// Renames the file to the target if the name is free, and syncs the folder.
    pub(super) fn create(mut self) -> Result<(), WriteError> {
        let Folder { fd, name, .. } = self.folder;
        match rustix::fs::renameat_with(fd, &self.name, fd, *name, RenameFlags::NOREPLACE) {
            // Some file systems cannot rename without replacing, but can link. The draft's name is removed on drop.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let linked = rustix::fs::linkat(fd, &self.name, fd, *name, AtFlags::empty());
                linked.map_err(|errno| self.folder.failed(Step::Create, errno))?;
                self.sync()
            }
            renamed => self.settle(Step::Create, renamed),
        }
    }

    fn settle(&mut self, step: Step, renamed: Result<(), Errno>) -> Result<(), WriteError> {
        renamed.map_err(|errno| self.folder.failed(step, errno))?;
        self.placed = true;
        self.sync()
    }

    fn sync(&self) -> Result<(), WriteError> {
        match rustix::fs::fsync(&self.folder.fd) {
            // Some network file systems cannot sync folders.
            Err(errno) if errno != Errno::INVAL => Err(self.folder.failed(Step::Sync, errno)),
            _ => Ok(()),
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After the rename, another writer may already use the old name.
        if !self.placed {
            let _ = rustix::fs::unlinkat(&self.folder.fd, &self.name, AtFlags::empty());
        }
    }
}
