//! Writing a small private file so that a reader, and a crash, sees the old one or the new one, never a part.
//!
//! The text goes to a new file beside the target, of mode 0600 from its birth whatever the umask, is synced, takes the
//! target's name, and the folder is synced. All names are looked up in the opened folder, so that nobody can exchange
//! it on the way. A target that is a symbolic link is refused.

use camino::Utf8Path;
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;

use super::draft::Folder;
use super::error::{Step, WriteError};

/// Makes the file, which must not exist: of several callers at once, one succeeds.
///
/// # Errors
///
/// [`WriteError`], with [`WriteError::already_exists`] if there is anything of that name, a dangling link included.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = camino::Utf8Path::from_path(folder.path()).unwrap().join("new");
/// use infra_lib::fs::atomic;
///
/// atomic::create_new(&path, b"first")?;
/// assert!(atomic::create_new(&path, b"second").unwrap_err().already_exists());
/// assert_eq!(std::fs::read(&path)?, b"first");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn create_new(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = Folder::open(path)?;
    if look(&folder)?.is_some() {
        return Err(folder.failed(Step::Create, Errno::EXIST));
    }
    folder.draft(bytes, None)?.create()
}

/// Puts the file in the place of the one that is there, if any. The owner stays; the mode becomes 0600.
///
/// # Errors
///
/// [`WriteError`]; also if the target is a link or a folder, or if its owner is another that we cannot keep.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = camino::Utf8Path::from_path(folder.path()).unwrap().join("file");
/// infra_lib::fs::atomic::replace(&path, b"old")?;
/// infra_lib::fs::atomic::replace(&path, b"new")?;
/// assert_eq!(std::fs::read(&path)?, b"new");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |_| None)
}

/// The same, but the mode stays as well: of a file that others are meant to read, as a container's user is.
pub(crate) fn replace_alike(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |stat| stat.map(|stat| Mode::from_raw_mode(stat.st_mode)))
}

/// The same for a program: the mode is 0700. Whoever runs the old one goes on with it.
pub(crate) fn replace_program(path: &Utf8Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace_by(path, bytes, |_| Some(Mode::RWXU))
}

fn replace_by(path: &Utf8Path, bytes: &[u8], mode: impl Fn(Option<&Stat>) -> Option<Mode>) -> Result<(), WriteError> {
    let folder = Folder::open(path)?;
    let existing = look(&folder)?;
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

fn look(folder: &Folder<'_>) -> Result<Option<Stat>, WriteError> {
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
}
