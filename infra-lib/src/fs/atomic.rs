//! Atomic writes of small private files: after a crash, and for every reader, the file has its old or its new
//! content.
//!
//! The text is written to a new file in the same folder, created with mode 0600 regardless of the umask. The file is
//! synced and renamed to the target, then the folder is synced. All names are resolved relative to the open folder,
//! so that the folder cannot be replaced in the meantime. A target that is a symbolic link is refused.

use camino::Utf8Path;
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;

use super::draft::Folder;
use super::error::{Step, WriteError};

/// Creates a file that must not exist. If several callers try at the same time, one succeeds.
///
/// # Errors
///
/// [`WriteError`], with `WriteError::already_exists` if the name is taken, even by a dangling link.
pub fn create_new(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = Folder::open(path)?;
    if stat(&folder)?.is_some() {
        return Err(folder.failed(Step::Create, Errno::EXIST));
    }
    folder.draft(bytes, None)?.create()
}

/// Replaces the file or creates it. An existing file keeps its owner; the mode becomes 0600.
///
/// # Errors
///
/// [`WriteError`]; also if the target is a link or a folder, or if its owner cannot be preserved.
pub fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |_| None)
}

/// Like `replace`, but preserves the mode: for a file that others must read, such as a container's user.
pub(crate) fn replace_alike(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |stat| stat.map(|stat| Mode::from_raw_mode(stat.st_mode)))
}

/// Like `replace`, but for a program, with mode 0700. Processes that run the old one are not affected.
pub(crate) fn replace_program(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |_| Some(Mode::RWXU))
}

/// Like `replace`, for a file without secrets that other users read, with mode 0644.
pub(crate) fn replace_public(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |_| Some(Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH))
}

fn replace_by(path: &Utf8Path, bytes: &[u8], mode: impl Fn(Option<&Stat>) -> Option<Mode>) -> Result<(), WriteError> {
    let folder = Folder::open(path)?;
    let existing = stat(&folder)?;
    match existing.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        None | Some(FileType::RegularFile) => {}
        Some(FileType::Symlink) => return Err(folder.failed(Step::Link, Errno::LOOP)),
        Some(_) => return Err(folder.failed(Step::Replace, Errno::INVAL)),
    }
    let owner = existing.map(|stat| (stat.st_uid, stat.st_gid));
    let draft = folder.draft(bytes, owner)?;
    match mode(existing.as_ref()) {
        Some(mode) => draft.set_mode(mode)?.replace(),
        None => draft.replace(),
    }
}

fn stat(folder: &Folder<'_>) -> Result<Option<Stat>, WriteError> {
    match rustix::fs::statat(&folder.fd, folder.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(folder.failed(Step::Look, errno)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::time::{Duration, SystemTime};

    use camino::Utf8PathBuf;

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("file")).unwrap();
        (folder, path)
    }

    fn names(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn s06_the_mode_is_0600_even_over_a_readable_file() {
        let (_folder, path) = folder();
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn s18_links_are_neither_followed_nor_replaced() {
        let (folder, path) = folder();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "untouched").unwrap();
        symlink(&victim, &path).unwrap();
        assert_eq!(replace(&path, b"new").unwrap_err().step, Step::Link);
        assert!(create_new(&path, b"new").unwrap_err().already_exists());
        std::fs::remove_file(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        assert!(create_new(&path, b"new").unwrap_err().already_exists());
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&victim, &path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(names(&folder), 2);
    }

    #[test]
    fn e12_of_ten_at_once_one_creates_and_its_file_is_whole() {
        let (folder, path) = folder();
        let made: Vec<bool> = std::thread::scope(|scope| {
            let write = |n: u8| {
                let path = &path;
                scope.spawn(move || match create_new(path, &vec![n; 100_000]) {
                    Ok(()) => true,
                    Err(error) => !error.already_exists(),
                })
            };
            let writers: Vec<_> = (0..10).map(write).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() == 100_000 && made[usize::from(bytes[0])] && bytes.iter().all(|&byte| byte == bytes[0]));
        assert_eq!(names(&folder), 1);
    }

    #[test]
    fn e12_readers_see_old_or_new_and_nothing_is_left() {
        let (folder, path) = folder();
        replace(&path, &vec![0; 50_000]).unwrap();
        std::thread::scope(|scope| {
            for n in 1..=4 {
                let path = &path;
                scope.spawn(move || (0..20).for_each(|_| replace(path, &vec![n; 50_000]).unwrap()));
            }
            for _ in 0..200 {
                let bytes = std::fs::read(&path).unwrap();
                assert!(bytes.len() == 50_000 && bytes.iter().all(|&byte| byte == bytes[0]));
            }
        });
        assert_eq!(names(&folder), 1);
    }

    #[test]
    fn a_dead_writers_draft_is_swept_and_a_living_one_stays() {
        let (folder, path) = folder();
        let plant = |name: &str, age: u64| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            file
        };
        drop(plant(".file.1-0.infra-draft", 3600));
        drop(plant(".file.2-0.infra-draft", 1));
        drop(plant(".other.1-0.infra-draft", 3600));
        let held = plant(".file.3-0.infra-draft", 3600);
        held.try_lock().unwrap();
        replace(&path, b"x").unwrap();
        assert_eq!(names(&folder), 4);
        assert!(!folder.path().join(".file.1-0.infra-draft").exists());
    }

    #[test]
    fn a_folder_is_refused() {
        let (_folder, path) = folder();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(replace(&path, b"x").unwrap_err().step, Step::Replace);
        assert!(create_new(&path, b"x").unwrap_err().already_exists());
        assert_eq!(replace("..".into(), b"x").unwrap_err().step, Step::OpenFolder);
    }

    #[test]
    fn a_file_is_created_once_and_replaced_at_will() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("file");
        create_new(&path, b"first").unwrap();
        assert!(create_new(&path, b"second").unwrap_err().already_exists());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let error = replace("/no/such/folder/.env".into(), b"A=1\n").unwrap_err();
        assert_eq!(error.to_string(), "cannot open the folder of /no/such/folder/.env");
    }
}
