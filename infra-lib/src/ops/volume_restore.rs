//! `volume-restore`

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::backup::catalogue::{Catalogue, Entry};
use crate::backup::folder::Folder;
use crate::backup::{BackupError, BackupManifest};
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{ago, counted, millis, seconds};
use crate::volumes::{Checked, Restored, Volume, VolumeLock, VolumeRestoreJob, of_volume, resume};

use super::clean::refuse_other_engine;
use super::volume_backup::sweep;

/// Restore a volume from a backup.
///
/// The archive is read to its end before anything is changed. Services that use the volume are stopped, its content is
/// backed up, and the archive is unpacked next to it and compared. Then the two are swapped, and the services are
/// started again.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct VolumeRestore {
    /// Name in the compose files or on the engine.
    #[cfg_attr(feature = "cli", arg(value_name = "VOLUME", required = true))]
    pub volume: String,
    /// `latest`, a name, an id or a file.
    #[cfg_attr(feature = "cli", arg(value_name = "BACKUP", required = true))]
    pub backup: String,
    /// Accept a backup of another project, environment or volume.
    #[cfg_attr(feature = "cli", arg(long))]
    pub allow_foreign: bool,
}

/// What a restore of a volume did.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct VolumeRestoreReport {
    /// The volume, as the compose files call it.
    pub volume: String,
    /// The archive's file name in the backup folder.
    pub backup: String,
    /// How many files there are now.
    pub files: u64,
    /// How many bytes they have.
    pub content: u64,
    /// The archive that holds what was there before; none in a dry run.
    pub safety_backup: Option<String>,
    /// The services that were stopped, and started again.
    pub restarted: Vec<String>,
    /// Those that did not become ready afterwards, each with what is wrong.
    pub not_ready: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Operation for VolumeRestore {
    const NAME: &'static str = "volume-restore";
    const GROUP: Group = Group::Everything;
    type Outcome = VolumeRestoreReport;

    fn run(&self, project: &Project) -> Result<VolumeRestoreReport> {
        let began = Instant::now();
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        let volume = Volume::find(project, &self.volume)?;
        resume(project)?;
        volume.refuse_postgres(project)?;
        refuse_other_engine(project)?;
        let catalogue = Catalogue::read(project)?;
        let manifest = self.find(project, &catalogue, &volume)?;
        // Asked now, since a stranger that uses the volume is a reason not to begin.
        let users = volume.running(project)?;
        let source = Folder::open(&project.backup_dir())?;
        let checked = Checked::read(project, &source, &manifest)?;
        let mut report = VolumeRestoreReport::from_manifest(&volume, &manifest);

        let mut destruction = project.destruction(Self::NAME, Vec::new());
        destruction.ambiguous = volume.ambiguous;
        let age = ago(manifest.created, jiff::Timestamp::now());
        destruction
            .items
            .push(format!("the content of the volume {} will be replaced by {}, {age} old", volume.key, manifest.file));
        destruction.items.push("it is backed up first, under the name before-restore".to_owned());
        if !users.is_empty() {
            let users: Vec<_> = users.into_iter().collect();
            destruction.items.push(format!("stopped meanwhile: {}", users.join(", ")));
        }
        project.consent(&destruction)?;
        if project.runner().is_dry_run() {
            project
                .runner()
                .apply(format_args!("restore {} into the volume {}", manifest.file, volume.name), || {
                    Ok::<_, Error>(())
                })?;
            return Ok(report);
        }
        let _volume = VolumeLock::acquire(project, [&volume], Self::NAME)?;
        let (folder, _) = Catalogue::folder_for_writing(project)?;
        let _alone = project.lock_backups(folder.path(), Self::NAME)?;
        sweep(project, &folder)?;
        let restoring = VolumeRestoreJob { volume: &volume, checked };
        report.take(restoring.run(project, &folder)?);
        report.duration_ms = millis(began.elapsed());
        Ok(report)
    }
}

impl VolumeRestore {
    fn find(&self, project: &Project, catalogue: &Catalogue, volume: &Volume) -> Result<BackupManifest> {
        let own: Vec<&Entry> = catalogue.volumes(project, &volume.key).collect();
        let found = catalogue.find_among(&self.backup, own).map_err(|error| match error {
            BackupError::NotFound { name, near } => {
                let hint = if near.is_empty() {
                    "`cargo xtask volume-backup --list` lists the backups".to_owned()
                } else {
                    format!("the sets are: {}", near.join(", "))
                };
                Error::new(Exit::NotFound, format!("the volume `{}` has no backup `{name}`", volume.key))
                    .with_hint(hint)
            }
            error => of_volume(error.into()),
        })?;
        let manifest = &found.manifest;
        let Some(theirs) = &manifest.volume else {
            return Err(Error::new(Exit::Usage, format!("{} is not a backup of a volume", manifest.file))
                .with_hint("`cargo xtask db-restore` restores a database's"));
        };
        if self.allow_foreign || (*theirs == volume.key && found.is_of(project)) {
            return Ok(manifest.clone());
        }
        let theirs = format!("the volume {theirs} of {}", manifest.project);
        let ours = format!("the volume {} of {}", volume.key, project.name());
        Err(Error::new(Exit::Refused, format!("the backup is of {theirs}, but this is {ours}"))
            .with_hint("use `--allow-foreign` to accept it"))
    }
}

impl VolumeRestoreReport {
    pub(super) fn from_manifest(volume: &Volume, manifest: &BackupManifest) -> Self {
        let count = |key: &str| manifest.objects.get(key).copied().unwrap_or(0);
        Self {
            volume: volume.key.clone(),
            backup: manifest.file.clone(),
            files: count("files"),
            content: count("bytes"),
            ..Default::default()
        }
    }

    pub(super) fn take(&mut self, restored: Restored) {
        self.safety_backup = restored.safety.map(|made| made.manifest.file);
        (self.restarted, self.not_ready) = (restored.restarted, restored.not_ready);
    }
}

impl Outcome for VolumeRestoreReport {
    fn exit(&self) -> Exit {
        if self.not_ready.is_empty() { Exit::Ok } else { Exit::Partial }
    }

    fn next(&self) -> Vec<String> {
        if self.not_ready.is_empty() { Vec::new() } else { vec!["cargo xtask health".to_owned()] }
    }
}

impl fmt::Display for VolumeRestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(safety) = &self.safety_backup else { return f.write_str("nothing was changed") };
        let (content, took) = (ByteSize::new(self.content), seconds(Duration::from_millis(self.duration_ms)));
        let files = counted(self.files, "file");
        write!(f, "the volume {} holds {}: {files} of {content}, in {took}", self.volume, self.backup)?;
        write!(f, "\nthe previous content is in {safety}")?;
        if !self.restarted.is_empty() {
            write!(f, "\nstopped meanwhile, and started again: {}", self.restarted.join(", "))?;
        }
        self.not_ready.iter().try_for_each(|what| write!(f, "\nnot ready: {what}"))
    }
}
