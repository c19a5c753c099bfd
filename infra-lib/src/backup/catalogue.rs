//! The catalogue of existing backups.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use rustix::fs::FileType;
use serde::{Deserialize, Serialize};

use crate::fs::atomic;
use crate::hex;
use crate::project::Project;
use crate::project::environment_name::canonical;
use crate::project::error::{Error, Result};
use crate::report::ago;

use super::BackupError;
use super::draft;
use super::folder::Folder;
use super::manifest::{BackupManifest, Format};
use super::{name, record};

/// The backups of a folder, in creation order. A file without a manifest is not a backup.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// `None` if no backup was ever made here.
    pub(crate) folder: Option<Folder>,
    pub(crate) entries: Vec<Entry>,
    /// Errors of manifests that cannot be used.
    pub(crate) problems: Vec<BackupError>,
}

/// A backup in the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The manifest's file name.
    pub(crate) name: String,
    pub(crate) manifest: BackupManifest,
}

/// A marker in every backup folder, so that an empty mount point is not mistaken for one.
const MARKER: &str = ".infra-backups.json";
/// The state file that records which folders were used, with their ids.
const RECORD: &str = "backup-folders.json";

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    id: String,
}

impl Project {
    /// The folder that holds this project's backups.
    pub(crate) fn backup_dir(&self) -> Utf8PathBuf {
        self.root().join(self.config().backup.dir.as_deref().unwrap_or(Utf8Path::new("backups")))
    }
}

impl Catalogue {
    /// Reads the catalogue. It is empty if the folder was never used.
    pub(crate) fn read(project: &Project) -> Result<Self> {
        let path = project.backup_dir();
        let folder = if path.symlink_metadata().is_ok() { Some(Folder::open(&path)?) } else { None };
        match &folder {
            Some(folder) => check_marker(project, folder).map(drop)?,
            None if known(project).contains_key(&path) => return Err(not_mounted(project, &path)),
            None => {}
        }
        Self::from_folder(folder)
    }

    /// Opens the folder for writing and creates it if needed.
    pub(crate) fn folder_for_writing(project: &Project) -> Result<(Folder, String)> {
        let path = project.backup_dir();
        let known = known(project);
        if known.contains_key(&path) && path.symlink_metadata().is_err() {
            return Err(not_mounted(project, &path));
        }
        let folder = Folder::make(&path)?;
        if let Some(id) = check_marker(project, &folder)? {
            if known.get(&path) != Some(&id) {
                remember(project, &path, &id)?;
            }
            return Ok((folder, id));
        }
        let marker = Marker { id: hex::random_digits(12)? };
        let text =
            serde_json::to_vec(&marker).map_err(|error| Error::file("write", path.join(MARKER))(error.into()))?;
        match atomic::create_new(&path.join(MARKER), &text) {
            // Another process created it first.
            Err(error) if error.already_exists() => return Self::folder_for_writing(project),
            written => written?,
        }
        remember(project, &path, &marker.id)?;
        Ok((folder, marker.id))
    }

    /// The backups of an open folder.
    pub(crate) fn from_folder(folder: Option<Folder>) -> Result<Self> {
        let mut catalogue = Self { folder, entries: Vec::new(), problems: Vec::new() };
        let Some(folder) = &catalogue.folder else { return Ok(catalogue) };
        let names = folder.names().map_err(Error::file("read", folder.path()))?;
        for name in names.into_iter().filter(|name| has_extension(name, "json") && !name.starts_with('.')) {
            match read_manifest(folder, &name) {
                Ok(Some(manifest)) => catalogue.entries.push(Entry { name, manifest }),
                Ok(None) => {}
                Err(error) => catalogue.problems.push(error),
            }
        }
        catalogue.entries.sort_by_key(|entry| (entry.manifest.sequence, entry.manifest.created));
        Ok(catalogue)
    }

    /// Database backups of this project's environment, oldest first.
    pub(crate) fn databases<'a>(&'a self, project: &'a Project) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| entry.manifest.database.is_some() && entry.is_of(project))
    }

    /// Backups of one volume of this project's environment, oldest first.
    pub(crate) fn volumes<'a>(
        &'a self,
        project: &'a Project,
        volume: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> {
        let is_its = move |entry: &&Entry| entry.manifest.volume.as_deref() == Some(volume) && entry.is_of(project);
        self.entries.iter().filter(is_its)
    }

    /// The newest good backup of the database.
    pub(crate) fn newest_good<'a>(&'a self, project: &'a Project) -> Option<&'a Entry> {
        self.databases(project).rfind(|entry| entry.manifest.is_good())
    }

    /// Whether the backup's file exists with the expected size. The content is not read.
    pub(crate) fn has_file_of(&self, entry: &Entry) -> bool {
        let BackupManifest { file, format, bytes, .. } = &entry.manifest;
        self.folder.as_ref().is_some_and(|folder| match format {
            Format::Directory => folder.has(file),
            _ => folder.open_file(file).and_then(|file| file.metadata()).is_ok_and(|stat| stat.len() == *bytes),
        })
    }

    /// The sequence number for the next backup.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.entries.iter().map(|entry| entry.manifest.sequence).max().unwrap_or(0) + 1
    }

    /// Finds a database backup by `latest`, an id, a label (newest match), or a file name.
    pub(crate) fn find<'a>(&'a self, project: &'a Project, wanted: &str) -> Result<&'a Entry, BackupError> {
        let own = self.databases(project).collect();
        if wanted != "latest" {
            return self.find_among(wanted, own);
        }
        for problem in &self.problems {
            project.warn(format_args!("{problem}; an older backup may be used instead"));
        }
        let found = self.find_among(wanted, own)?;
        self.warn_of_newer(project, found);
        Ok(found)
    }

    /// Says which newer backups `latest` has skipped, and why.
    fn warn_of_newer(&self, project: &Project, found: &Entry) {
        let skipped = self.databases(project).rev().take_while(|entry| entry.name != found.name);
        for entry in skipped.filter(|entry| !entry.manifest.is_safety_copy()) {
            let why = entry.manifest.suspect.first().map_or("it was never verified", String::as_str);
            let (newer, used) = (entry.stem(), found.stem());
            let age = ago(found.manifest.created, Timestamp::now());
            project.warn(format_args!(
                "{newer} is newer but not used: {why}; `latest` is {used}, made {age} ago; \
                 `cargo xtask db-verify {newer}` checks the newer one again"
            ));
        }
    }

    /// Finds a backup among `own`, sorted oldest first. A file name also finds backups of other projects.
    pub(crate) fn find_among<'a>(&'a self, wanted: &str, own: Vec<&'a Entry>) -> Result<&'a Entry, BackupError> {
        if wanted == "latest" {
            let is_usable = |entry: &&&Entry| entry.manifest.is_good() && !entry.manifest.is_safety_copy();
            let newest = own.iter().rev().find(is_usable);
            return newest.copied().ok_or_else(|| BackupError::NotFound { name: wanted.to_owned(), near: Vec::new() });
        }
        let file = Utf8Path::new(wanted).file_name().unwrap_or(wanted);
        let in_folder = file == wanted || self.folder.as_ref().is_some_and(|folder| is_in(wanted, folder.path()));
        let named = self.entries.iter().find(|entry| {
            in_folder
                && (entry.name == file
                    || entry.manifest.file == file
                    || entry.stem() == file
                    || entry.manifest.id == wanted)
        });
        let labelled = || own.iter().rev().find(|entry| entry.manifest.label.as_deref() == Some(wanted)).copied();
        if let Some(problem) = self.problems.iter().find(|problem| in_folder && problem.is_about(file)) {
            let (file, reason) = (problem.file().to_owned(), problem.reason());
            return Err(BackupError::Manifest { file, reason });
        }
        let kind =
            self.folder.as_ref().filter(|_| in_folder && name::has_time(file)).and_then(|folder| folder.kind(file));
        if let (None, Some(FileType::RegularFile | FileType::Directory)) = (named, kind) {
            return Err(BackupError::Damaged { file: file.to_owned(), what: "its manifest is missing".to_owned() });
        }
        named.or_else(labelled).ok_or_else(|| {
            let newest = own.iter().rev().take(5).map(|entry| entry.stem().to_owned());
            BackupError::NotFound { name: wanted.escape_debug().to_string(), near: newest.collect() }
        })
    }

    /// Removes what killed runs have left. The caller must hold the folder's lock.
    pub(crate) fn sweep(&self) -> Result<Vec<String>> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        folder.remove_dead_drafts();
        let failed = |name: &str| Error::file("remove", folder.path().join(name));
        let mut removed = Vec::new();
        let mut remove = |name: String| {
            folder.remove(&name).map_err(failed(&name))?;
            removed.push(name);
            Ok::<_, Error>(())
        };
        for (record, parts) in record::dead(folder).map_err(Error::file("read", folder.path()))? {
            // The files were published already, but not the manifest that would make them a backup.
            for published in parts.iter().flat_map(|part| draft::announced(folder, part)) {
                let is_listed = self.entries.iter().any(|entry| entry.files().any(|file| file == published));
                if !is_listed && folder.has(&published) {
                    remove(published)?;
                }
            }
            parts.into_iter().filter(|part| folder.has(part)).try_for_each(&mut remove)?;
            folder.remove(&record).map_err(failed(&record))?;
        }
        let names = folder.names().map_err(Error::file("read", folder.path()))?;
        names.into_iter().filter(|name| record::is_pipe(name) && folder.is_dead_pipe(name)).try_for_each(remove)?;
        Ok(removed)
    }
}

impl Entry {
    /// Whether it belongs to this project's environment.
    pub(crate) fn is_of(&self, project: &Project) -> bool {
        self.manifest.project == project.name() && canonical(&self.manifest.environment) == project.environment().name
    }

    /// The backup's name without its extension.
    pub(crate) fn stem(&self) -> &str {
        self.name.strip_suffix(".json").unwrap_or(&self.name)
    }

    /// The database and volume it is of. Retention treats each of them separately.
    pub(crate) fn subject(&self) -> (Option<&str>, Option<&str>) {
        (self.manifest.database.as_ref().map(|facts| facts.name.as_str()), self.manifest.volume.as_deref())
    }

    /// The total size in bytes, including additional files.
    pub(crate) fn bytes(&self) -> u64 {
        self.manifest.bytes + self.manifest.globals.as_ref().map_or(0, |globals| globals.bytes)
    }

    /// The backup's files, without the manifest.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let globals = self.manifest.globals.iter().map(|globals| globals.file.as_str());
        std::iter::once(self.manifest.file.as_str()).chain(globals)
    }

    /// Rewrites the manifest after a change. A manifest that was removed in the meantime stays removed.
    pub(crate) fn save(&self, folder: &Folder) -> Result<()> {
        if !folder.has(&self.name) {
            return Ok(());
        }
        let path = folder.path().join(&self.name);
        let text = self.manifest.to_text().map_err(|error| Error::file("write", &path)(error.into()))?;
        Ok(atomic::replace(&path, &text)?)
    }
}

/// When the last good backup was made, as text for a confirmation prompt.
pub(crate) fn last_in_words(project: &Project) -> Option<String> {
    let catalogue = Catalogue::read(project).ok()?;
    let newest = &catalogue.newest_good(project)?.manifest;
    Some(format!("{} ago ({})", ago(newest.created, Timestamp::now()), newest.file))
}

/// `None` if it is JSON of another program.
fn read_manifest(folder: &Folder, name: &str) -> Result<Option<BackupManifest>, BackupError> {
    let unusable = |reason: String| BackupError::Manifest { file: name.to_owned(), reason };
    let is_named_as_ours = name::has_time(name);
    let text = match folder.open_file(name).and_then(std::io::read_to_string) {
        // A set's file lists backups but is not one itself.
        Ok(text) if text.contains("\"parts\"") && !text.contains("\"sequence\"") => return Ok(None),
        Ok(text) if is_named_as_ours || text.contains("\"sequence\"") => text,
        Err(error) if is_named_as_ours => return Err(unusable(error.to_string())),
        _ => return Ok(None),
    };
    let manifest = BackupManifest::parse(name, text.as_bytes())?;
    if is_beside(name, &manifest.file) || !is_named_as_ours {
        return Ok(Some(manifest));
    }
    Err(unusable(format!("it is that of another backup, {}", manifest.file)))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Utf8Path::new(name).extension() == Some(extension)
}

fn is_in(wanted: &str, folder: &Utf8Path) -> bool {
    let parent = Utf8Path::new(wanted).parent().and_then(|parent| parent.canonicalize_utf8().ok());
    parent.is_some() && parent == folder.canonicalize_utf8().ok()
}

fn known(project: &Project) -> BTreeMap<Utf8PathBuf, String> {
    project.state().read(RECORD).unwrap_or_default()
}

fn remember(project: &Project, path: &Utf8Path, id: &str) -> Result<()> {
    let mut known = known(project);
    known.insert(path.to_owned(), id.to_owned());
    Ok(project.state().write(RECORD, &known)?)
}

/// The folder's id; `None` if it is new. A folder that was used before must still have its marker.
fn check_marker(project: &Project, folder: &Folder) -> Result<Option<String>> {
    let text = match folder.open_file(MARKER).and_then(std::io::read_to_string) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::file("read", folder.path().join(MARKER))(error)),
    };
    match text.and_then(|text| serde_json::from_str::<Marker>(&text).ok()) {
        Some(marker) => Ok(Some(marker.id)),
        None if known(project).contains_key(folder.path()) => Err(not_mounted(project, folder.path())),
        None => Ok(None),
    }
}

fn not_mounted(project: &Project, path: &Utf8Path) -> Error {
    BackupError::NotMounted { path: path.to_owned(), record: project.state().path().join(RECORD) }.into()
}

impl BackupError {
    fn reason(&self) -> String {
        if let Self::Manifest { reason, .. } = self { reason.clone() } else { self.to_string() }
    }

    /// Whether the error is about this manifest or the backup's file of this name.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        matches!(self, Self::Manifest { file, .. } | Self::Schema { file, .. } if is_beside(file, name))
    }
}

/// Whether a manifest name belongs to this file name.
fn is_beside(manifest: &str, file: &str) -> bool {
    let stem = manifest.strip_suffix(".json").unwrap_or(manifest);
    file.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
