//! What is restored: a backup of the catalogue, or a file from elsewhere.

use camino::{Utf8Path, Utf8PathBuf};

use crate::backup::catalogue::Catalogue;
use crate::backup::folder::Folder;
use crate::backup::property::{Property, harmless};
use crate::backup::restore::RestoreJob;
use crate::backup::restricted_role::RestrictedRole;
use crate::backup::verify::{Archive, check_file};
use crate::backup::{BackupError, BackupManifest, foreign};
use crate::exit::Exit;
use crate::postgres::{Database, Toolbox};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::{DbRestore, RestoreReport};

/// An archive, and what is known about it.
pub(super) struct Source {
    folder: Folder,
    manifest: BackupManifest,
    /// Whether its manifest was found next to it, or derived from its content.
    has_manifest: bool,
    /// Whether it is from outside the project's backup folder, so that its author decides what is in it.
    is_received: bool,
}

impl Source {
    /// Finds what was asked for. A file without a manifest needs `--unverified`, and is read whole to learn what it holds.
    pub(super) fn open(project: &Project, options: &DbRestore) -> Result<Self> {
        let wanted = options.backup.as_deref().unwrap_or("latest");
        if wanted.is_empty() {
            return Err(Error::new(Exit::Usage, "the name of the backup is empty"));
        }
        let catalogue = Catalogue::read(project)?;
        let missing = match catalogue.find(project, wanted) {
            Ok(entry) => {
                let manifest = entry.manifest.clone();
                let folder = Folder::open(&project.backup_dir())?;
                return Ok(Self { folder, manifest, has_manifest: true, is_received: false });
            }
            Err(error) => error,
        };
        let path = Utf8PathBuf::from(wanted);
        let path = if path.is_absolute() { path } else { current_dir()?.join(path) };
        let Ok(stat) = path.symlink_metadata() else { return Err(missing.into()) };
        if !(stat.is_file() || stat.is_dir()) {
            let error = Error::new(Exit::Usage, format!("{path} is neither a file nor a folder"));
            return Err(match path.read_link_utf8() {
                Ok(target) => error.with_hint(format!("it is a link to {target}: use that path")),
                Err(_) => error,
            });
        }
        if let Some(beside) = beside(&path)? {
            return Ok(beside);
        }
        if !options.unverified {
            return Err(Error::new(Exit::BadData, format!("{path} has no manifest"))
                .with_hint("use `--unverified` to accept it if all of it can be decoded"));
        }
        let folder = Folder::open_received(path.parent().unwrap_or(Utf8Path::new("/")))?;
        let manifest = foreign::read(project, &folder, path.file_name().unwrap_or_default())?;
        manifest.warnings.iter().for_each(|warning| project.warn(warning));
        Ok(Self { folder, manifest, has_manifest: false, is_received: true })
    }

    pub(super) fn config(&self) -> &BackupManifest {
        &self.manifest
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(super) fn file(&self) -> &str {
        &self.manifest.file
    }

    pub(super) fn globals(&self) -> &str {
        self.manifest.globals.as_ref().map_or("no file", |globals| &globals.file)
    }

    pub(super) fn is_received(&self) -> bool {
        self.is_received
    }

    /// How a database is filled from it; `role` restores what was received.
    pub(super) fn filling<'a>(
        &'a self,
        project: &'a Project,
        toolbox: &'a Toolbox<'a>,
        jobs: u32,
        role: Option<&'a RestrictedRole>,
    ) -> RestoreJob<'a> {
        RestoreJob { received: role, ..RestoreJob::new(project, toolbox, &self.folder, &self.manifest, jobs) }
    }

    /// What it says that its database had.
    pub(super) fn properties(&self, project: &Project, from: &Database) -> Result<Vec<Property>> {
        let stated = self.manifest.database.as_ref().map_or(&[][..], |facts| facts.attributes.as_slice());
        if self.is_received { harmless(project, from, stated) } else { Ok(stated.to_vec()) }
    }

    /// The bytes are those that were decoded when it was made. A foreign backup was decoded just now.
    pub(super) fn verify(&self, project: &Project) -> Result<()> {
        if self.has_manifest {
            project.step(format_args!("verifying {}", self.file()));
            Archive::new(&self.folder, &self.manifest).check_digest(project, &self.manifest)?;
            if let Some(globals) = &self.manifest.globals {
                check_file(project, &self.folder, globals)?;
            }
        }
        Ok(())
    }

    pub(super) fn report(&self, database: &str) -> RestoreReport {
        RestoreReport {
            database: database.to_owned(),
            backup: Some(self.file().to_owned()),
            tables: self.manifest.tables.len(),
            rows: self.manifest.rows(),
            ..Default::default()
        }
    }
}

/// A backup of ours in another folder, with its manifest next to it.
fn beside(path: &Utf8Path) -> Result<Option<Source>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let folder = Folder::open_received(parent)?;
    let catalogue = Catalogue::from_folder(Some(folder))?;
    let wanted = |entry: &&crate::backup::catalogue::Entry| entry.manifest.file == name || entry.name == name;
    let found = catalogue.entries.iter().find(wanted).map(|entry| entry.manifest.clone());
    if let (None, Some(problem)) = (&found, catalogue.problems.iter().find(|problem| problem.is_about(name))) {
        let (file, reason) = (name.to_owned(), problem.to_string());
        return Err(BackupError::Manifest { file, reason }.into());
    }
    Ok(found.zip(catalogue.folder).map(|(manifest, folder)| Source {
        folder,
        manifest,
        has_manifest: true,
        is_received: true,
    }))
}

fn current_dir() -> Result<Utf8PathBuf> {
    let here = std::env::current_dir().map_err(Error::file("find", "."))?;
    Utf8PathBuf::from_path_buf(here)
        .map_err(|path| Error::new(Exit::Config, format!("{} is not valid UTF-8", path.display())))
}
