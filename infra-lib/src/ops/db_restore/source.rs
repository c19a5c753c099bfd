//! What is restored: a backup of the catalogue, or a file of somebody else's.

use camino::{Utf8Path, Utf8PathBuf};

use crate::backup::catalogue::Catalogue;
use crate::backup::folder::Folder;
use crate::backup::restore::Filling;
use crate::backup::verify::{Archive, check_file};
use crate::backup::{BackupError, BackupManifest, foreign};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::Toolbox;
use crate::project::Project;

use super::{DbRestore, RestoreReport};

/// An archive, and what is known about it.
pub(super) struct Source {
    folder: Folder,
    manifest: BackupManifest,
    /// Whether its manifest was found beside it, or made up from what is in it.
    is_ours: bool,
}

impl Source {
    /// Finds what was asked for. A file without a manifest needs `--unverified`, and is read whole to learn what it holds.
    pub(super) fn open(project: &Project, options: &DbRestore) -> Result<Self> {
        let wanted = options.backup.as_deref().unwrap_or("latest");
        if wanted.is_empty() {
            return Err(Error::new(Exit::Usage, "no backup has an empty name"));
        }
        let catalogue = Catalogue::read(project)?;
        let missing = match catalogue.find(project, wanted) {
            Ok(entry) => {
                let manifest = entry.manifest.clone();
                let folder = Folder::open(&project.backup_dir())?;
                return Ok(Self { folder, manifest, is_ours: true });
            }
            Err(error) => error,
        };
        let path = Utf8PathBuf::from(wanted);
        let path = if path.is_absolute() { path } else { current_dir()?.join(path) };
        let Ok(stat) = path.symlink_metadata() else { return Err(missing.into()) };
        if !(stat.is_file() || stat.is_dir()) {
            let error = Error::new(Exit::Usage, format!("{path} is neither a file nor a folder"));
            return Err(match path.read_link_utf8() {
                Ok(target) => error.with_hint(format!("it is a link to {target}; name that")),
                Err(_) => error,
            });
        }
        if let Some(beside) = beside(&path)? {
            return Ok(beside);
        }
        if !options.unverified {
            return Err(Error::new(Exit::BadData, format!("{path} has no manifest that says what is in it"))
                .with_hint("`--unverified` takes it all the same, if all of it can be decoded; what is in it runs with the rights of the role that restores"));
        }
        let folder = Folder::open(path.parent().unwrap_or(Utf8Path::new("/")))?;
        let manifest = foreign::read(project, &folder, path.file_name().unwrap_or_default())?;
        manifest.warnings.iter().for_each(|warning| project.warn(warning));
        Ok(Self { folder, manifest, is_ours: false })
    }

    pub(super) fn manifest(&self) -> &BackupManifest {
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

    /// How a database is filled from it.
    pub(super) fn filling<'a>(&'a self, project: &'a Project, toolbox: &'a Toolbox<'a>, jobs: u32) -> Filling<'a> {
        let is_ours = self.is_ours;
        Filling { is_ours, ..Filling::new(project, toolbox, &self.folder, &self.manifest, jobs) }
    }

    /// To the byte what was decoded when it was made. Somebody else's was decoded just now.
    pub(super) fn verify(&self, project: &Project) -> Result<()> {
        if self.is_ours {
            project.step(format_args!("verifying {}", self.file()));
            Archive::of(&self.folder, &self.manifest).check_digest(project, &self.manifest)?;
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

/// A backup of ours in another folder: its manifest lies beside it.
fn beside(path: &Utf8Path) -> Result<Option<Source>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let folder = Folder::open(parent)?;
    let catalogue = Catalogue::of(Some(folder))?;
    let wanted = |entry: &&crate::backup::catalogue::Entry| entry.manifest.file == name || entry.name == name;
    let found = catalogue.entries.iter().find(wanted).map(|entry| entry.manifest.clone());
    if let (None, Some(problem)) = (&found, catalogue.problems.iter().find(|problem| problem.is_about(name))) {
        let (file, reason) = (name.to_owned(), problem.to_string());
        return Err(BackupError::Manifest { file, reason }.into());
    }
    Ok(found.zip(catalogue.folder).map(|(manifest, folder)| Source { folder, manifest, is_ours: true }))
}

fn current_dir() -> Result<Utf8PathBuf> {
    let here = std::env::current_dir().map_err(Error::file("find", "."))?;
    Utf8PathBuf::from_path_buf(here).map_err(|path| Error::new(Exit::Config, format!("{} is no UTF-8", path.display())))
}
