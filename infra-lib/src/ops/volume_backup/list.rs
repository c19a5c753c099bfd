//! `volume-backup --list`

use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::error::Result;
use crate::exit::Exit;
use crate::manifest::ByteSize;
use crate::project::Project;
use crate::report::{ago, table};

/// The backups of volumes in this environment, newest first.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VolumeList {
    /// Where they are.
    pub folder: Utf8PathBuf,
    /// Each backup.
    pub backups: Vec<ListedVolume>,
    /// Manifests that cannot be used, with the reason.
    pub problems: Vec<String>,
}

/// A backup of the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedVolume {
    /// The volume.
    pub volume: String,
    /// Its archive.
    pub file: String,
    /// Unique.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// The set that it belongs to.
    pub set: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its size.
    pub bytes: u64,
    /// How many files it holds.
    pub files: u64,
    /// Whether its archive is there.
    pub is_there: bool,
}

impl VolumeList {
    /// Those of one volume, or of all.
    pub(super) fn read(project: &Project, volume: Option<&str>) -> Result<Self> {
        let catalogue = Catalogue::read(project)?;
        let of_ours = catalogue.entries.iter().rev().filter(|entry| entry.is_of(project));
        let backups = of_ours.filter_map(|entry| {
            let manifest = &entry.manifest;
            let name = manifest.volume.as_ref().filter(|name| volume.is_none_or(|wanted| wanted == *name))?;
            Some(ListedVolume {
                volume: name.clone(),
                file: manifest.file.clone(),
                id: manifest.id.clone(),
                label: manifest.label.clone(),
                set: manifest.set.clone(),
                created: manifest.created,
                bytes: manifest.bytes,
                files: manifest.objects.get("files").copied().unwrap_or(0),
                is_there: catalogue.folder.as_ref().is_some_and(|folder| folder.has(&manifest.file)),
            })
        });
        Ok(Self {
            folder: project.backup_dir(),
            backups: backups.collect(),
            problems: catalogue.problems.iter().map(ToString::to_string).collect(),
        })
    }

    /// A no where something is wrong with what is listed.
    pub(super) fn exit(&self) -> Exit {
        let whole = self.problems.is_empty() && self.backups.iter().all(|backup| backup.is_there);
        if whole { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl fmt::Display for VolumeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = Timestamp::now();
        if self.backups.is_empty() {
            write!(f, "there are no backups of volumes in {}", self.folder)?;
        } else {
            let rows = self.backups.iter().map(|backup| {
                [
                    backup.file.clone(),
                    backup.volume.clone(),
                    backup.label.clone().unwrap_or_default(),
                    format!("{} ago", ago(backup.created, now)),
                    ByteSize::new(backup.bytes).to_string(),
                    if backup.is_there { "verified" } else { "its file is missing" }.to_owned(),
                ]
            });
            write!(f, "{}", table(["BACKUP", "VOLUME", "NAME", "AGE", "SIZE", "STATE"], rows))?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\nproblem: {problem}"))
    }
}
