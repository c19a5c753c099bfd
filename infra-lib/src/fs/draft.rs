//! The text under another name, until it is whole.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::error::{Step, WriteError};

const SUFFIX: &str = ".infra-draft";

/// Far longer than a write takes.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// The folder of a file that is to be written, opened.
pub(super) struct Folder<'a> {
    pub(super) path: &'a Utf8Path,
    pub(super) name: &'a str,
    pub(super) fd: OwnedFd,
}

/// A file beside the target, written and synced; removed when dropped, unless it got the target's name.
pub(super) struct Draft<'a> {
    folder: &'a Folder<'a>,
    pub(super) name: String,
    placed: bool,
    // Held open, and locked: a draft that another can lock is a dead writer's.
    file: File,
}

impl<'a> Folder<'a> {
    /// Opens the folder, and removes what dead writers of this file have left there.
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

    /// Writes `bytes` under a name of its own; `owner` is the user and the group that it must belong to.
    pub(super) fn draft(&self, bytes: &[u8], owner: Option<(u32, u32)>) -> Result<Draft<'_>, WriteError> {
        let draft = self.new_draft().map_err(|errno| self.failed(Step::Draft, errno))?;
        // Where locks are not supported, its age alone protects a living draft from another's sweep.
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

/// Removes what dead writers have left in an opened folder, of files whose drafts begin with this.
pub(crate) fn remove_dead(folder: BorrowedFd<'_>, prefix: &str) {
    let Ok(entries) = Dir::read_from(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(SUFFIX) && is_dead(folder, &name) {
            let _ = rustix::fs::unlinkat(folder, &*name, AtFlags::empty());
        }
    }
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
    /// Gives the file to its owner. A group that we may not give is no loss: the mode leaves it nothing.
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

    /// Widens the mode, now that the file is whole.
    pub(super) fn set_mode(self, mode: Mode) -> Result<Self, WriteError> {
        rustix::fs::fchmod(&self.file, mode).map_err(|errno| self.folder.failed(Step::Write, errno))?;
        Ok(self)
    }

    /// Gives the file the target's name, replacing what has it, and syncs the folder.
    pub(super) fn replace(mut self) -> Result<(), WriteError> {
        let Folder { fd, name, .. } = self.folder;
        let renamed = rustix::fs::renameat(fd, &self.name, fd, *name);
        self.settle(Step::Replace, renamed)
    }

    /// Gives the file the target's name if nothing has it, and syncs the folder.
    pub(super) fn create(mut self) -> Result<(), WriteError> {
        let Folder { fd, name, .. } = self.folder;
        match rustix::fs::renameat_with(fd, &self.name, fd, *name, RenameFlags::NOREPLACE) {
            // Some file systems cannot rename so, but can link; the draft's own name goes when it is dropped.
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
            // Some network file systems have no such thing for folders.
            Err(errno) if errno != Errno::INVAL => Err(self.folder.failed(Step::Sync, errno)),
            _ => Ok(()),
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once renamed, the old name may be another writer's already.
        if !self.placed {
            let _ = rustix::fs::unlinkat(&self.folder.fd, &self.name, AtFlags::empty());
        }
    }
}
