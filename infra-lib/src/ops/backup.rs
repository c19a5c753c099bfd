//! `backup`

use std::fmt;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::files;
use crate::backup::folder::Folder;
use crate::backup::make::{BackupJob, FinishedBackup, share_database};
use crate::backup::set::Set;
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::postgres::PostgresError;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{millis, seconds};
use crate::volumes::{Volume, VolumeBackupJob, VolumeLock, resume};

use super::volume_backup::sweep;

/// Back up the database, volumes and files as one set.
///
/// The volumes and files are those of `[backup] volumes` and `[backup] files` in infra.toml. The set is listed once all
/// of its parts are verified; if one fails, the parts made before it remain as single backups. The archive of the files
/// may hold secrets; like every archive, it is readable by its owner only.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Backup {}

/// The result of `backup`: the new set, or nothing in a dry run.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SetReport {
    /// A set was made.
    Made(BackupSet),
    /// A dry run made none.
    Shown {},
}

/// A set that was made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackupSet {
    /// By what it is restored.
    pub id: String,
    /// When the set was started, in UTC.
    pub created: Timestamp,
    /// The path of each part: the database, the volumes, then the files.
    pub parts: Vec<Utf8PathBuf>,
    /// The total size of the parts in bytes.
    pub bytes: u64,
    /// How long it took, verification included, in milliseconds.
    pub duration_ms: u64,
    /// The warnings of all parts, such as files that changed meanwhile.
    pub warnings: Vec<String>,
    /// Why it should be looked at.
    pub suspect: Vec<String>,
}

impl Operation for Backup {
    const NAME: &'static str = "backup";
    const GROUP: Group = Group::Everything;
    type Outcome = SetReport;

    fn run(&self, project: &Project) -> Result<SetReport> {
        let began = Instant::now();
        files::check(project)?;
        let volumes = Volume::declared(project)?;
        volumes.iter().try_for_each(|volume| VolumeBackupJob { volume, label: None, set: None }.check(project))?;
        let has_database = match project.database() {
            Ok(_) => true,
            Err(error) if matches!(error.downcast_ref(), Some(PostgresError::NotFound)) => false,
            Err(error) => return Err(error),
        };
        if project.runner().is_dry_run() {
            return Self::show(project, &volumes, has_database);
        }
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        resume(project)?;
        let _volumes = VolumeLock::acquire(project, &volumes, Self::NAME)?;
        let _shared = share_database(project, Self::NAME)?;
        let (folder, place) = Catalogue::folder_for_writing(project)?;
        let _alone = project.lock_backups(folder.path(), Self::NAME)?;
        sweep(project, &folder)?;
        let now = Timestamp::now();
        let id = Set::name(project, now);
        let mut made = Vec::new();
        let all = Self::parts(project, &folder, &place, &id, &volumes, has_database, &mut made);
        if let (Err(_), false) = (&all, made.is_empty()) {
            let files: Vec<_> = made.iter().map(|made| made.manifest.file.as_str()).collect();
            project
                .note(format_args!("no set was created; these parts remain as single backups: {}", files.join(", ")));
        }
        all?;
        let set = Set::publish(project, &folder, &id, now, &made)?;
        let texts = |of: fn(&FinishedBackup) -> &Vec<String>| made.iter().flat_map(of).cloned().collect();
        Ok(SetReport::Made(BackupSet {
            id: set.id,
            created: now,
            bytes: set.parts.iter().map(|part| part.bytes).sum(),
            warnings: texts(|made| &made.manifest.warnings),
            suspect: texts(|made| &made.manifest.suspect),
            parts: made.into_iter().map(|made| made.path).collect(),
            duration_ms: millis(began.elapsed()),
        }))
    }
}

impl Backup {
    fn parts(
        project: &Project,
        folder: &Folder,
        place: &str,
        id: &str,
        volumes: &[Volume],
        has_database: bool,
        made: &mut Vec<FinishedBackup>,
    ) -> Result<()> {
        if has_database {
            made.push(Self::database(project, id).run_alone(project, folder, place)?);
        }
        for volume in volumes {
            made.push(VolumeBackupJob { volume, label: None, set: Some(id) }.run(project, folder)?);
        }
        if !project.config().backup.files.is_empty() {
            made.push(files::back_up(project, folder, id)?);
        }
        if made.is_empty() {
            return Err(Error::new(
                Exit::Usage,
                "there is nothing to back up: no database, no `[backup] volumes`, no `[backup] files`",
            ));
        }
        Ok(())
    }

    fn database<'o>(project: &Project, set: &'o str) -> BackupJob<'o> {
        BackupJob { set: Some(set), ..BackupJob::from_config(&project.config().backup, Self::NAME) }
    }

    fn show(project: &Project, volumes: &[Volume], has_database: bool) -> Result<SetReport> {
        if has_database {
            Self::database(project, "set").run(project)?;
        }
        for volume in volumes {
            VolumeBackupJob { volume, label: None, set: None }.show(project)?;
        }
        for path in files::configured(project)? {
            project.runner().apply(format_args!("back up {path}"), || Ok::<_, Error>(()))?;
        }
        Ok(SetReport::Shown {})
    }
}

impl Outcome for SetReport {
    fn exit(&self) -> Exit {
        let good = match self {
            Self::Made(set) => set.suspect.is_empty(),
            Self::Shown {} => true,
        };
        if good { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl fmt::Display for SetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(set) => set.fmt(f),
            Self::Shown {} => Ok(()),
        }
    }
}

impl fmt::Display for BackupSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, took) = (ByteSize::new(self.bytes), seconds(Duration::from_millis(self.duration_ms)));
        let verdict = if self.suspect.is_empty() { "verified" } else { "SUSPECT" };
        write!(f, "{verdict}: {}, {size} in {took}", self.id)?;
        self.parts.iter().try_for_each(|part| write!(f, "\n  {part}"))?;
        self.suspect.iter().try_for_each(|reason| write!(f, "\nsuspect: {reason}"))?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
