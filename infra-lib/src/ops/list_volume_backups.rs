//! `volume-backup --list`

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::{Listed, Listing};
use crate::config::ByteSize;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation};
use crate::report::{ago, table};

use super::VolumeBackup;

/// List the existing backups of volumes, newest first.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ListVolumeBackups {
    /// Name in the compose files [default: all volumes].
    #[cfg_attr(feature = "cli", arg(value_name = "VOLUME"))]
    pub volume: Option<String>,
}

/// A backup of the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedVolume {
    /// The volume's name in the compose files.
    pub volume: String,
    /// The archive's file name in the backup folder.
    pub file: String,
    /// Unique id, made of project, volume, UTC time and a random part.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// The set that it belongs to.
    pub set: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The size of the archive in bytes.
    pub bytes: u64,
    /// How many files it holds.
    pub files: u64,
    /// Whether its archive is there.
    pub is_there: bool,
}

impl Operation for ListVolumeBackups {
    const NAME: &'static str = VolumeBackup::NAME;
    const GROUP: Group = VolumeBackup::GROUP;
    const JOURNAL: bool = false;
    type Outcome = Listing<ListedVolume>;

    fn run(&self, project: &Project) -> Result<Listing<ListedVolume>> {
        let catalogue = Catalogue::read(project)?;
        let of_ours = catalogue.entries.iter().rev().filter(|entry| entry.is_of(project));
        let backups = of_ours.filter_map(|entry| {
            let manifest = &entry.manifest;
            let name =
                manifest.volume.as_ref().filter(|name| self.volume.as_ref().is_none_or(|wanted| wanted == *name))?;
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
