//! A backup folder, kept open: all work happens in this folder even if its path is replaced in the meantime.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::BackupError;
use super::draft::PART;
use crate::project::error::{Error, Result};

/// An open folder. Names are resolved relative to it, and links are never followed.
#[derive(Debug)]
pub(crate) struct Folder {
    path: Utf8PathBuf,
    fd: OwnedFd,
}

/// The free space of a disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    /// Free inodes; `None` if the file system allocates them on demand.
    pub(crate) files: Option<u64>,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const CREATE: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens an existing folder. A link, or a folder that others or a group may write to, is refused.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self> {
        let folder = Self::open_received(path)?;
        let stat = rustix::fs::fstat(&folder.fd).map_err(|errno| Error::file("look at", path)(errno.into()))?;
        if stat.st_mode & 0o020 != 0 && stat.st_mode & 0o1000 == 0 {
            return Err(BackupError::Unsafe { path: path.to_owned(), what: "is writable by its group" }.into());
        }
        Ok(folder)
    }

    /// Opens a folder with files from elsewhere. A link or a world-writable folder is refused.
    pub(crate) fn open_received(path: &Utf8Path) -> Result<Self> {
        let fd = match rustix::fs::open(path.as_std_path(), DIRECTORY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => {
                return Err(BackupError::Unsafe { path: path.to_owned(), what: "is a link" }.into());
            }
            Err(errno) => return Err(Error::file("open", path)(errno.into())),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|errno| Error::file("look at", path)(errno.into()))?;
        if stat.st_mode & 0o002 != 0 && stat.st_mode & 0o1000 == 0 {
            return Err(BackupError::Unsafe { path: path.to_owned(), what: "is writable by everyone" }.into());
        }
        Ok(Self { path: path.to_owned(), fd })
    }

    /// Opens the folder, or creates it with mode 0700.
    pub(crate) fn make(path: &Utf8Path) -> Result<Self> {
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        crate::state::private_dir(path).map_err(Error::file("create", path))?;
        Self::open(path)
    }

    /// The path that it was opened with.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Creates a new file for writing, private from its creation.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.fd, name, CREATE, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Creates a subfolder for writing.
    pub(crate) fn create_folder(&self, name: &str) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.fd, name, Mode::RWXU)?;
        self.folder(name)
    }

    /// Opens an existing subfolder.
    pub(crate) fn folder(&self, name: &str) -> io::Result<Self> {
        let fd = rustix::fs::openat(&self.fd, name, DIRECTORY, Mode::empty())?;
        Ok(Self { path: self.path.join(name), fd })
    }

    /// Opens a regular file for reading; an error for a pipe, a device or a link.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        let file: File = rustix::fs::openat(&self.fd, name, READ, Mode::empty())?.into();
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
    }

    /// The file type of an entry.
    pub(crate) fn kind(&self, name: &str) -> Option<FileType> {
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(stat.st_mode))
    }

    /// Whether an entry with this name exists.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.kind(name).is_some()
    }

    /// The names of its entries, sorted.
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

    /// Renames a file without replacing an existing one.
    pub(crate) fn publish(&self, from: &str, to: &str) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE) {
            // Some file systems do not support this rename. The folder's lock excludes other backups in the meantime.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !self.has(to) => {
                Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Points the symbolic link `name` to `target` atomically.
    pub(crate) fn point(&self, name: &str, target: &str) -> io::Result<()> {
        // After a crash, it is removed like any other unfinished file.
        let draft = format!(".{name}{PART}");
        let _ = rustix::fs::unlinkat(&self.fd, &draft, AtFlags::empty());
        rustix::fs::symlinkat(target, &self.fd, &draft)?;
        rustix::fs::renameat(&self.fd, &draft, &self.fd, name).inspect_err(|_| {
            let _ = rustix::fs::unlinkat(&self.fd, &draft, AtFlags::empty());
        })?;
        Ok(())
    }

    /// Removes a file, or a folder of files. A missing one is not an error.
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

    /// Whether the entry is a named pipe that no process reads.
    pub(super) fn is_dead_pipe(&self, name: &str) -> bool {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.kind(name) == Some(FileType::Fifo)
            && rustix::fs::openat(&self.fd, name, flags, Mode::empty()).is_err_and(|errno| errno == Errno::NXIO)
    }

    /// The open folder, to be passed to a program.
    pub(super) fn handle(&self) -> io::Result<File> {
        Ok(self.fd.try_clone()?.into())
    }

    /// Removes drafts of manifests that killed writers left.
    pub(crate) fn remove_dead_drafts(&self) {
        crate::fs::remove_dead(self.fd.as_fd(), ".");
    }

    /// Syncs the folder's entries to disk. Returns `false` if the file system does not support it.
    pub(crate) fn sync(&self) -> io::Result<bool> {
        synced(rustix::fs::fsync(&self.fd))
    }

    /// Whether its path still refers to this folder.
    pub(crate) fn is_at_its_path(&self) -> bool {
        let Ok(there) = self.path.symlink_metadata() else { return false };
        rustix::fs::fstat(&self.fd).is_ok_and(|here| here.st_ino == there.ino() && here.st_dev == there.dev())
    }

    /// Whether the name still refers to this open file.
    pub(crate) fn is_at(&self, name: &str, file: &File) -> bool {
        let there = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let here = file.metadata();
        matches!((there, here), (Ok(there), Ok(here)) if there.st_ino == here.ino() && there.st_dev == here.dev())
    }

    /// The disk space and inodes available to this user.
    pub(crate) fn room(&self) -> io::Result<Room> {
        let disk = rustix::fs::fstatvfs(&self.fd)?;
        let files = (disk.f_files > 0).then_some(disk.f_favail);
        Ok(Room { bytes: disk.f_bavail.saturating_mul(disk.f_frsize), files })
    }
}

/// Syncs a file's content to disk. Returns `false` if the file system does not support it.
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
        for mode in [0o770, 0o720] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(Folder::open(&path).unwrap_err().exit(), Exit::Refused, "{mode:o}");
            Folder::open_received(&path).unwrap();
        }
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
