//! Backup of the project's own files and folders: `[backup] files`.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::time::Instant;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rustix::fs::OFlags;

use crate::dotenv::interpolate;
use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::state::private_dir;

use super::BackupError;
use super::catalogue::Catalogue;
use super::draft::{Data, Draft, stem};
use super::folder::Folder;
use super::make::FinishedBackup;
use super::manifest::{BackupManifest, Format};
use super::packed::Proven;
use super::summary::Kind;
use super::tarball::{self, Bounds, Member};

/// Maximum size of a restored file, since each is written atomically from memory.
const LARGEST: u64 = 1 << 30;

/// The paths configured in this environment.
pub(crate) fn configured(project: &Project) -> Result<Vec<Utf8PathBuf>> {
    let lookup = |key: &str| project.variable(key).map(|value| value.expose().to_owned());
    let wrong = |path: &Utf8Path, what: String| {
        Error::new(Exit::Config, format!("`[backup] files` in infra.toml: {path} {what}"))
    };
    let all = project.config().backup.files.iter().map(|path| match interpolate(path.as_str(), lookup) {
        Ok(done) if done.unset.is_empty() => Ok(Utf8PathBuf::from(done.value.to_string())),
        Ok(done) => Err(wrong(path, format!("uses {}, which is not set", done.unset.join(", ")))),
        Err(error) => Err(wrong(path, format!("is wrong: {error}"))),
    });
    all.collect()
}

/// An error unless each path is inside the project's folder and exists.
pub(crate) fn check(project: &Project) -> Result<()> {
    for path in &configured(project)? {
        let is_below = path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir));
        if !is_below || path.as_str().is_empty() {
            return Err(Error::new(
                Exit::Config,
                format!("`[backup] files` in infra.toml: {path} is not a path below the project's folder"),
            ));
        }
        if project.root().join(path).symlink_metadata().is_err() {
            return Err(Error::new(
                Exit::NotFound,
                format!("`[backup] files` in infra.toml names {path}, which does not exist"),
            ));
        }
    }
    Ok(())
}

/// Backs up the files as part of a set. The caller holds the folder's lock.
pub(crate) fn back_up(project: &Project, folder: &Folder, set: &str) -> Result<FinishedBackup> {
    let (began, now) = (Instant::now(), Timestamp::now());
    project.step("backing up files");
    let catalogue = Catalogue::from_folder(Some(Folder::open(folder.path())?))?;
    let draft = Draft::begin(folder, stem(project.name(), "files", None, now), Format::Tar)?;
    let left_out = pack(project, &draft)?;
    let proven = Proven::read(project, folder, &draft)?;
    let mut manifest = BackupManifest::begin(project, draft.file(), Format::Tar, now)?;
    manifest.sequence = catalogue.next_sequence();
    manifest.set = Some(set.to_owned());
    manifest.warnings = left_out;
    proven.publish(project, folder, draft, manifest, began)
}

/// Writes the files into the draft and returns messages about skipped ones.
fn pack(project: &Project, draft: &Draft<'_>) -> Result<Vec<String>> {
    let Data::File(file) = draft.data() else {
        return Err(BackupError::Incomplete { reason: "its draft is not a file".to_owned() }.into());
    };
    let packer = GzEncoder::new(io::BufWriter::new(file), Compression::default());
    let mut walk = Walk { project, builder: tar::Builder::new(packer), seen: BTreeSet::new(), left_out: Vec::new() };
    for path in &configured(project)? {
        walk.configured(path)?;
    }
    let Walk { builder, left_out, .. } = walk;
    let written = builder.into_inner().and_then(GzEncoder::finish).and_then(|mut file| file.flush());
    written.map_err(Error::file("write", draft.file()))?;
    Ok(left_out)
}

struct Walk<'a, W: io::Write> {
    project: &'a Project,
    builder: tar::Builder<W>,
    seen: BTreeSet<Utf8PathBuf>,
    left_out: Vec<String>,
}

impl<W: io::Write> Walk<'_, W> {
    /// Adds a configured path, after its parent folders.
    fn configured(&mut self, path: &Utf8Path) -> Result<()> {
        let path: Utf8PathBuf = path.components().filter(|part| matches!(part, Utf8Component::Normal(_))).collect();
        let above: Vec<_> = path.ancestors().skip(1).filter(|above| !above.as_str().is_empty()).collect();
        for folder in above.into_iter().rev() {
            self.one(folder)?;
        }
        self.all(&path)
    }

    /// Adds the path and everything in it.
    fn all(&mut self, path: &Utf8Path) -> Result<()> {
        let full = self.project.root().join(path);
        if full == self.project.backup_dir() || full == *self.project.state().path() {
            return Ok(());
        }
        self.project.cancel().check()?;
        if !path.as_str().is_empty() && !self.one(path)?.is_dir() {
            return Ok(());
        }
        let failed = |error| Error::file("read", full.clone())(error);
        let entries = full.read_dir_utf8().map_err(failed)?.collect::<io::Result<Vec<_>>>();
        let mut names: Vec<_> =
            entries.map_err(failed)?.into_iter().map(|entry| entry.file_name().to_owned()).collect();
        names.sort();
        names.into_iter().try_for_each(|name| self.all(&path.join(name)))
    }

    fn one(&mut self, path: &Utf8Path) -> Result<Metadata> {
        let full = self.project.root().join(path);
        let failed = |error: io::Error| Error::file("read", full.clone())(error);
        let stat = full.symlink_metadata().map_err(failed)?;
        if !self.seen.insert(path.to_owned()) {
            return Ok(stat);
        }
        let kind = stat.file_type();
        if kind.is_socket() || kind.is_block_device() || kind.is_char_device() || kind.is_fifo() {
            self.left_out.push(format!("{path} is not backed up: it is not a file"));
            return Ok(stat);
        }
        let mut member = Member {
            path: path.as_str().as_bytes().to_owned(),
            kind: if kind.is_dir() { Kind::Directory } else { Kind::File },
            target: Vec::new(),
            size: 0,
            mode: stat.mode() & 0o7777,
            owner: (u64::from(stat.uid()), u64::from(stat.gid())),
            mtime: u64::try_from(stat.mtime()).unwrap_or(0),
            extras: Vec::new(),
        };
        if kind.is_symlink() {
            member.kind = Kind::Symlink;
            let target = full.as_std_path().read_link().map_err(failed)?;
            target.as_os_str().as_bytes().clone_into(&mut member.target);
        }
        if kind.is_file() {
            let file = open(&full).map_err(failed)?;
            member.size = file.metadata().map_err(failed)?.len();
            // The header is written already: a file that shrinks is padded, one that grows is truncated.
            let mut content = file.take(member.size).chain(io::repeat(0)).take(member.size);
            tarball::append(&mut self.builder, &member, &mut content).map_err(failed)?;
        } else {
            tarball::append(&mut self.builder, &member, &mut io::empty()).map_err(failed)?;
        }
        Ok(stat)
    }
}

fn open(path: &Utf8Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// Restores the files of a verified archive. Existing files that differ are copied to `aside`.
pub(crate) fn restore(
    project: &Project,
    folder: &Folder,
    manifest: &BackupManifest,
    aside: &Utf8Path,
) -> Result<Vec<Utf8PathBuf>> {
    project.step("restoring files");
    let archive = folder.path().join(&manifest.file);
    let file = folder.open_file(&manifest.file).map_err(Error::file("read", archive.clone()))?;
    let mut changed = Vec::new();
    let mut failure = None;
    let read = tarball::read(file, Bounds::from_manifest(Some(manifest)), |member, content| {
        put(project, member, content, aside, &mut changed).map_err(|error| {
            failure = Some(error);
            io::Error::other("a file was not restored")
        })
    });
    match (failure, read) {
        (Some(error), _) => Err(error),
        (None, read) => read.map(|_| changed).map_err(Error::file("read", archive)),
    }
}

fn put(
    project: &Project,
    member: &Member,
    content: &mut dyn io::Read,
    aside: &Utf8Path,
    changed: &mut Vec<Utf8PathBuf>,
) -> Result<()> {
    let name = String::from_utf8(member.path.clone());
    let name =
        name.map_err(|_| Error::new(Exit::BadData, "a file in the archive has a name that is not valid UTF-8"))?;
    let path = Utf8Path::new(&name);
    let full = project.root().join(path);
    refuse_links(project, path)?;
    let there = full.symlink_metadata().ok();
    match member.kind {
        Kind::Directory if there.as_ref().is_some_and(Metadata::is_dir) => Ok(()),
        Kind::Directory if there.is_none() => {
            std::fs::create_dir(&full).map_err(Error::file("create", &full))?;
            set_mode(&full, member.mode)
        }
        Kind::Symlink => {
            let target = std::ffi::OsStr::from_bytes(&member.target);
            if there.is_some() && std::fs::read_link(&full).is_ok_and(|there| there == target) {
                return Ok(());
            }
            if there.is_some() {
                return Err(in_the_way(&full));
            }
            std::os::unix::fs::symlink(target, &full).map_err(Error::file("create", &full))?;
            changed.push(path.to_owned());
            Ok(())
        }
        Kind::File if there.as_ref().is_none_or(Metadata::is_file) && member.size <= LARGEST => {
            let failed = |error| Error::file("read", full.clone())(error);
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(failed)?;
            if there.is_some() {
                let mut old = Vec::new();
                open(&full).and_then(|mut file| file.read_to_end(&mut old)).map_err(failed)?;
                if old == bytes {
                    return Ok(());
                }
                keep(aside, path, &old)?;
            }
            atomic::replace(&full, &bytes)?;
            set_mode(&full, member.mode)?;
            changed.push(path.to_owned());
            Ok(())
        }
        _ => Err(in_the_way(&full)),
    }
}

/// An error if a folder on the path is a symbolic link, which would lead outside.
fn refuse_links(project: &Project, path: &Utf8Path) -> Result<()> {
    let above = path.ancestors().skip(1).map(|above| project.root().join(above));
    match above.into_iter().find(|above| above.is_symlink() && above != project.root()) {
        Some(link) => Err(Error::new(
            Exit::Refused,
            format!("{link} is a link now, and would redirect the restore to another place"),
        )),
        None => Ok(()),
    }
}

fn in_the_way(path: &Utf8Path) -> Error {
    Error::new(Exit::Refused, format!("{path} has another type than in the backup"))
        .with_hint("move it away, then try again")
}

fn set_mode(path: &Utf8Path, mode: u32) -> Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).map_err(Error::file("set the mode of", path))
}

/// Keeps a private copy of an existing file.
fn keep(aside: &Utf8Path, path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let copy = aside.join(path);
    let folders: Vec<_> = copy.ancestors().skip(1).take_while(|folder| folder.starts_with(aside)).collect();
    for folder in folders.into_iter().rev() {
        private_dir(folder).map_err(Error::file("create", folder))?;
    }
    Ok(atomic::create_new(&copy, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_named_by_a_variable_that_is_set() {
        let stated_in = |text: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("compose.yml"), "services: {}\n").unwrap();
            let config = format!("[compose]\nservices = \"none\"\n[backup]\nfiles = [\"nginx/\", \"{text}\"]\n");
            std::fs::write(dir.path().join("infra.toml"), config).unwrap();
            let project = Project::discover(dir.path()).unwrap();
            configured(&project).map_err(|error| (error.exit(), error.to_string()))
        };
        let both = |second: &str| Ok(vec![Utf8PathBuf::from("nginx/"), Utf8PathBuf::from(second)]);
        assert_eq!(stated_in(".env"), both(".env"));
        assert_eq!(stated_in(".env.${NOWHERE_SET:-staging}"), both(".env.staging"));
        let (exit, message) = stated_in(".env.${NOWHERE_SET}").unwrap_err();
        assert_eq!(exit, Exit::Config);
        assert!(message.contains("NOWHERE_SET, which is not set"), "{message}");
        assert!(stated_in(".env.${").unwrap_err().1.contains("is wrong"));
    }
}
