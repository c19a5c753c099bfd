//! `volume-backup`

mod list;

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::folder::Folder;
use crate::backup::make::Made;
use crate::backup::{Listing, name};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::ByteSize;
use crate::operation::{Group, Operation, Outcome};
use crate::project::Project;
use crate::report::seconds;
use crate::volumes::{Volume, VolumeMaking, resume};

pub use list::ListedVolume;

/// Back up volumes, and prove that the backups are whole.
///
/// Without a name, each that is declared. A container of its own reads the volume, and can do nothing else. The archive counts only once it is written, synced,
/// hashed, and read to its end, and holds what the volume does. What a database keeps in files is no backup of it: such a
/// volume is refused.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct VolumeBackup {
    /// As the compose files or the engine call it; default: those of `[backup] volumes`.
    #[cfg_attr(feature = "cli", arg(value_name = "VOLUME"))]
    pub volume: Option<String>,
    /// Give it a name; one that has a name is kept until it is removed by hand.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub name: Option<String>,
    /// Show the backups that there are instead.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with = "name"))]
    pub list: bool,
}

/// What `volume-backup` did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum VolumeBackupReport {
    /// Backups were made.
    Made(VolumeBackups),
    /// The backups that there are.
    List(Listing<ListedVolume>),
}

/// The backups that were made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VolumeBackups {
    /// One for each volume; none in a dry run.
    pub volumes: Vec<BackedUpVolume>,
}

/// A volume's backup.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackedUpVolume {
    /// The volume, as the compose files call it.
    pub volume: String,
    /// Its archive.
    pub path: Utf8PathBuf,
    /// Unique.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// When it began.
    pub created: Timestamp,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How many files it holds.
    pub files: u64,
    /// How many bytes they have.
    pub content: u64,
    /// How long it took, verification included, in milliseconds.
    pub duration_ms: u64,
    /// What was remarked, such as files that changed meanwhile.
    pub warnings: Vec<String>,
}

impl Operation for VolumeBackup {
    const NAME: &'static str = "volume-backup";
    const GROUP: Group = Group::Everything;
    type Outcome = VolumeBackupReport;

    fn is_journaled(&self) -> bool {
        !self.list
    }

    fn run(&self, project: &Project) -> Result<VolumeBackupReport> {
        if self.list {
            return Ok(VolumeBackupReport::List(list::read(project, self.volume.as_deref())?));
        }
        self.name.as_deref().map_or(Ok(()), name::check_label)?;
        let volumes = match &self.volume {
            Some(name) => vec![Volume::find(project, name)?],
            None => Volume::declared(project)?,
        };
        if volumes.is_empty() {
            return Err(Error::new(Exit::Usage, "which volume? `[backup] volumes` in infra.toml names none")
                .with_hint("name one: `cargo xtask volume-backup VOLUME`; `cargo xtask describe` shows them"));
        }
        let making = |volume| VolumeMaking { volume, label: self.name.as_deref(), set: None };
        // What cannot be backed up is said before anything is.
        for volume in &volumes {
            making(volume).check(project)?;
        }
        if project.runner().is_dry_run() {
            volumes.iter().try_for_each(|volume| making(volume).show(project))?;
            return Ok(VolumeBackupReport::Made(VolumeBackups { volumes: Vec::new() }));
        }
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        resume(project)?;
        let (folder, _) = Catalogue::folder_for_writing(project)?;
        let _alone = project.lock_backups(folder.path(), Self::NAME)?;
        sweep(project, &folder)?;
        let made = volumes.iter().map(|volume| making(volume).run(project, &folder).map(BackedUpVolume::of));
        Ok(VolumeBackupReport::Made(VolumeBackups { volumes: made.collect::<Result<_>>()? }))
    }
}

/// Removes what an interrupted run has left; the caller holds the folder's lock.
pub(super) fn sweep(project: &Project, folder: &Folder) -> Result<()> {
    for gone in Catalogue::of(Some(Folder::open(folder.path())?))?.sweep()? {
        project.note(format_args!("removed {gone}, which an interrupted run had left"));
    }
    Ok(())
}

impl BackedUpVolume {
    pub(super) fn of(made: Made) -> Self {
        let Made { path, manifest, .. } = made;
        let count = |key: &str| manifest.objects.get(key).copied().unwrap_or(0);
        Self {
            path,
            files: count("files"),
            content: count("bytes"),
            volume: manifest.volume.unwrap_or_default(),
            id: manifest.id,
            label: manifest.label,
            created: manifest.created,
            bytes: manifest.bytes,
            sha256: manifest.sha256,
            duration_ms: manifest.duration_ms,
            warnings: manifest.warnings,
        }
    }
}

impl Outcome for VolumeBackupReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Made(_) => Exit::Ok,
            Self::List(list) => list.exit(),
        }
    }
}

impl fmt::Display for VolumeBackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(list) => list.fmt(f),
            Self::Made(made) => {
                let texts: Vec<_> = made.volumes.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join("\n"))
            }
        }
    }
}

impl fmt::Display for BackedUpVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = seconds(Duration::from_millis(self.duration_ms));
        let (size, content) = (ByteSize::new(self.bytes), ByteSize::new(self.content));
        write!(f, "verified: {}\n{size}, {} files of {content}, in {took}", self.path, self.files)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
