//! A folder of backups, held open: whatever happens to its path meanwhile, we work in this one.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::BackupError;
use super::draft::PART;
use crate::error::{Error, Result};

/// An opened folder. Names are looked up in it and never followed through links.
#[derive(Debug)]
pub(crate) struct Folder {
    path: Utf8PathBuf,
    fd: OwnedFd,
}

/// What a disk still has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    /// `None` where the file system makes them as it needs them.
    pub(crate) files: Option<u64>,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const CREATE: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a folder that is there. A link in its place, or one that everybody may write to, is refused.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self> {
        let fd = match rustix::fs::open(path.as_std_path(), DIRECTORY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => {
                return Err(BackupError::Unsafe { path: path.to_owned(), what: "is a link" }.into());
            }
            Err(errno) => return Err(Error::file("open", path)(errno.into())),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|errno| Error::file("look at", path)(errno.into()))?;
        if stat.st_mode & 0o002 != 0 && stat.st_mode & 0o1000 == 0 {
            return Err(BackupError::Unsafe { path: path.to_owned(), what: "may be written to by everybody" }.into());
        }
        Ok(Self { path: path.to_owned(), fd })
    }

    /// Opens the folder, or makes it with mode 0700.
    pub(crate) fn make(path: &Utf8Path) -> Result<Self> {
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        crate::state::private_dir(path).map_err(Error::file("create", path))?;
        Self::open(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A file in it that is to be written: new, and ours alone from its birth.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.fd, name, CREATE, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// A folder in it that is to be filled.
    pub(crate) fn create_folder(&self, name: &str) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.fd, name, Mode::RWXU)?;
        self.folder(name)
    }

    /// A folder in it.
    pub(crate) fn folder(&self, name: &str) -> io::Result<Self> {
        let fd = rustix::fs::openat(&self.fd, name, DIRECTORY, Mode::empty())?;
        Ok(Self { path: self.path.join(name), fd })
    }

    /// Opens a plain file for reading; a pipe, a device or a link in its place is an error.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        let file: File = rustix::fs::openat(&self.fd, name, READ, Mode::empty())?.into();
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
    }

    /// What a name in it is.
    pub(crate) fn kind(&self, name: &str) -> Option<FileType> {
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(stat.st_mode))
    }

    /// Whether there is anything of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.kind(name).is_some()
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Gives a file another name that nothing has yet.
    pub(crate) fn publish(&self, from: &str, to: &str) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE) {
            // Some file systems know no such rename. One backup at a time holds this folder's lock; nobody comes between.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !self.has(to) => {
                Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Lets `name` point to `target`, in one step.
    pub(crate) fn point(&self, name: &str, target: &str) -> io::Result<()> {
        // Killed before it has its name, it is swept as any other unfinished file.
        let draft = format!(".{name}{PART}");
        let _ = rustix::fs::unlinkat(&self.fd, &draft, AtFlags::empty());
        rustix::fs::symlinkat(target, &self.fd, &draft)?;
        rustix::fs::renameat(&self.fd, &draft, &self.fd, name).inspect_err(|_| {
            let _ = rustix::fs::unlinkat(&self.fd, &draft, AtFlags::empty());
        })?;
        Ok(())
    }

    /// Removes a file, or a folder of files; that nothing was there is fine.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::ISDIR | Errno::PERM) if self.kind(name) == Some(FileType::Directory) => {
                let folder = self.folder(name)?;
                folder.names()?.iter().try_for_each(|name| folder.remove(name))?;
                Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?)
            }
            removed => Ok(removed?),
        }
    }

    /// Removes what writers of its manifests have left that were killed.
    pub(crate) fn remove_dead_drafts(&self) {
        crate::fs::remove_dead(self.fd.as_fd(), ".");
    }

    /// Makes the names in it survive a crash. `false`: this file system has no such thing.
    pub(crate) fn sync(&self) -> io::Result<bool> {
        synced(rustix::fs::fsync(&self.fd))
    }

    /// Whether its path still leads to it.
    pub(crate) fn is_at_its_path(&self) -> bool {
        let Ok(there) = self.path.symlink_metadata() else { return false };
        rustix::fs::fstat(&self.fd).is_ok_and(|here| here.st_ino == there.ino() && here.st_dev == there.dev())
    }

    /// Whether a name in it still leads to this open file.
    pub(crate) fn is_at(&self, name: &str, file: &File) -> bool {
        let there = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let here = file.metadata();
        matches!((there, here), (Ok(there), Ok(here)) if there.st_ino == here.ino() && there.st_dev == here.dev())
    }

    /// What its disk still has for us.
    pub(crate) fn room(&self) -> io::Result<Room> {
        let disk = rustix::fs::fstatvfs(&self.fd)?;
        let files = (disk.f_files > 0).then_some(disk.f_favail);
        Ok(Room { bytes: disk.f_bavail.saturating_mul(disk.f_frsize), files })
    }
}

/// Makes a file's content survive a crash. `false`: this file system has no such thing.
pub(crate) fn sync_file(file: &File) -> io::Result<bool> {
    synced(rustix::fs::fsync(file))
}

fn synced(result: Result<(), Errno>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOTSUP) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::exit::Exit;

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("backups")).unwrap();
        (dir, path)
    }

    #[test]
    fn s06_a_new_folder_and_its_files_are_ours_alone() {
        let (_dir, path) = place();
        let folder = Folder::make(&path).unwrap();
        let file = folder.create("a").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(folder.create("a").is_err(), "what is there is never written over");
        assert!(folder.is_at("a", &file) && folder.is_at_its_path());
    }

    #[test]
    fn a40_s17_a_link_and_a_folder_for_everybody_are_refused() {
        let (dir, path) = place();
        std::os::unix::fs::symlink(dir.path(), &path).unwrap();
        assert_eq!(Folder::open(&path).unwrap_err().exit(), Exit::Refused);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(Folder::open(&path).unwrap_err().exit(), Exit::Refused);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o1777)).unwrap();
        Folder::open(&path).unwrap();
    }

    #[test]
    fn a40_an_exchanged_folder_is_noticed() {
        let (dir, path) = place();
        let folder = Folder::make(&path).unwrap();
        std::fs::rename(&path, dir.path().join("away")).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(!folder.is_at_its_path());
    }

    #[test]
    fn b08_only_plain_files_are_opened_and_nothing_is_published_over_another() {
        let (_dir, path) = place();
        let folder = Folder::make(&path).unwrap();
        std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
        assert!(folder.open_file("socket").is_err());
        std::os::unix::fs::symlink("/etc/hostname", path.join("link")).unwrap();
        assert!(folder.open_file("link").is_err());
        folder.create("a").unwrap();
        folder.create("b").unwrap();
        assert!(folder.publish("a", "b").is_err());
        folder.publish("a", "c").unwrap();
        folder.create_folder("d").unwrap().create("inside").unwrap();
        folder.remove("d").unwrap();
        folder.remove("never there").unwrap();
        folder.point("latest", "b").unwrap();
        folder.point("latest", "c").unwrap();
        assert_eq!(std::fs::read_link(path.join("latest")).unwrap().to_str(), Some("c"));
    }
}
