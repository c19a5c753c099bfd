//! `volume-backup --list`

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::{Listed, Listing};
use crate::error::Result;
use crate::manifest::ByteSize;
use crate::project::Project;
use crate::report::{ago, table};

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

/// The backups of one volume, or of all, in this environment.
pub(super) fn read(project: &Project, volume: Option<&str>) -> Result<Listing<ListedVolume>> {
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
    Ok(Listing::new(project, &catalogue, backups))
}

impl Listed for ListedVolume {
    const KIND: &'static str = "backups of volumes";

    fn is_there(&self) -> bool {
        self.is_there
    }

    fn table(listed: &[Self], now: Timestamp) -> String {
        let rows = listed.iter().map(|backup| {
            [
                backup.file.clone(),
                backup.volume.clone(),
                backup.label.clone().unwrap_or_default(),
                format!("{} ago", ago(backup.created, now)),
                ByteSize::new(backup.bytes).to_string(),
                if backup.is_there { "verified" } else { "its file is missing" }.to_owned(),
            ]
        });
        table(["BACKUP", "VOLUME", "NAME", "AGE", "SIZE", "STATE"], rows)
    }
}
