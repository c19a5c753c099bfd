//! `volume-backup`

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::folder::Folder;
use crate::backup::make::FinishedBackup;
use crate::backup::name;
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{counted, seconds};
use crate::volumes::{Volume, VolumeBackupJob, VolumeLock, resume};

/// Back up volumes, and verify the backups.
///
/// Without a name, it backs up all declared volumes. A helper container reads the volume and has no other access. The
/// archive is listed only once it is written, synced, hashed, read to its end and compared with the volume. A volume
/// with the files of a database is refused: a copy of those is not a backup.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct VolumeBackup {
    /// Name in the compose files or on the engine [default: those of `[backup] volumes`].
    #[cfg_attr(feature = "cli", arg(value_name = "VOLUME"))]
    pub volume: Option<String>,
    /// Name the backup; a named backup is kept until you remove it by hand.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub name: Option<String>,
}

/// The backups that were made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VolumeBackups {
    /// One for each volume; none in a dry run.
    pub volumes: Vec<BackedUpVolume>,
}

/// A backup of one volume, made and verified.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackedUpVolume {
    /// The volume, as the compose files call it.
    pub volume: String,
    /// The path of its archive.
    pub path: Utf8PathBuf,
    /// Unique id, made of project, volume, UTC time and a random part.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// When the backup started, in UTC.
    pub created: Timestamp,
    /// The size of the archive in bytes.
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
    type Outcome = VolumeBackups;

    fn run(&self, project: &Project) -> Result<VolumeBackups> {
        self.name.as_deref().map_or(Ok(()), name::check_label)?;
        let volumes = match &self.volume {
            Some(name) => vec![Volume::find(project, name)?],
            None => Volume::declared(project)?,
        };
        if volumes.is_empty() {
            return Err(Error::new(Exit::Usage, "no volume was named, and `[backup] volumes` in infra.toml has none")
                .with_hint("name one: `cargo xtask volume-backup VOLUME`; `cargo xtask describe` shows them"));
        }
        let making = |volume| VolumeBackupJob { volume, label: self.name.as_deref(), set: None };
        // What cannot be backed up is said before anything is.
        for volume in &volumes {
            making(volume).check(project)?;
        }
        if project.runner().is_dry_run() {
            volumes.iter().try_for_each(|volume| making(volume).show(project))?;
            return Ok(VolumeBackups { volumes: Vec::new() });
        }
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        resume(project)?;
        let _alone = VolumeLock::acquire(project, &volumes, Self::NAME)?;
        let (folder, _) = Catalogue::folder_for_writing(project)?;
        let _folder = project.lock_backups(folder.path(), Self::NAME)?;
        sweep(project, &folder)?;
        let made = volumes.iter().map(|volume| making(volume).run(project, &folder).map(BackedUpVolume::from_backup));
        Ok(VolumeBackups { volumes: made.collect::<Result<_>>()? })
    }
}

/// Removes what an interrupted run has left; the caller holds the folder's lock.
pub(super) fn sweep(project: &Project, folder: &Folder) -> Result<()> {
    for gone in Catalogue::from_folder(Some(Folder::open(folder.path())?))?.sweep()? {
        project.note(format_args!("removed {gone}, left behind by an interrupted run"));
    }
    Ok(())
}

impl BackedUpVolume {
    pub(super) fn from_backup(made: FinishedBackup) -> Self {
        let FinishedBackup { path, manifest, .. } = made;
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

impl Outcome for VolumeBackups {}

impl fmt::Display for VolumeBackups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.volumes.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("\n"))
    }
}

impl fmt::Display for BackedUpVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = seconds(Duration::from_millis(self.duration_ms));
        let (size, content) = (ByteSize::new(self.bytes), ByteSize::new(self.content));
        write!(f, "verified: {}\n{size}, {} of {content}, in {took}", self.path, counted(self.files, "file"))?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
