//! `db-backup`

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Entry;
use crate::backup::folder::Folder;
use crate::backup::make::{BackupJob, FinishedBackup, share_database};
use crate::backup::{BackupManifest, Format, Proof, ProofKind, drill, name, prune};
use crate::config::{ByteSize, DumpFormat, Period};
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{counted, millis, seconds};

/// Back up the database, and verify the backup.
///
/// A backup is listed only once it is written, synced, hashed and decoded to its end; if anything fails, nothing is
/// left behind. Roles, grants and the database's settings are stored next to it.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbBackup {
    /// Name the backup; a named backup is kept until you remove it by hand.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub name: Option<String>,
    /// Format of the dump [default: as in `infra.toml`, else one compressed archive].
    #[cfg_attr(feature = "cli", arg(long, value_enum, value_name = "FORMAT"))]
    pub format: Option<DumpFormat>,
    /// Dump N tables in parallel, with `--format directory`.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256)))]
    pub jobs: Option<u32>,
    /// Verify by decoding, or also by restoring into a scratch database.
    #[cfg_attr(feature = "cli", arg(long, value_enum, default_value_t, value_name = "HOW"))]
    pub verify: DbBackupVerify,
    /// How long to wait for a table that another session has locked [default: 1m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub lock_wait: Option<Period>,
    /// Give up after this long without progress [default: 2m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub stall: Option<Period>,
}

/// How a new backup is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum DbBackupVerify {
    /// Decode all of it.
    #[default]
    Decode,
    /// Also restore it into a scratch database, and compare.
    Drill,
}

/// The result of `db-backup`: the new backup, or nothing in a dry run.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum DbBackupReport {
    /// A backup was made.
    Made(Box<BackupReport>),
    /// A dry run made none.
    Shown {},
}

/// A backup that was made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackupReport {
    /// Its file or folder.
    pub path: Utf8PathBuf,
    /// Unique id, made of project, database, UTC time and a random part.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// The name of the database that was backed up.
    pub database: String,
    /// When the backup started, in UTC.
    pub created: Timestamp,
    /// How it is written.
    pub format: Format,
    /// The size of the file or folder in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The version of the PostgreSQL server, such as `17.2`.
    pub server: String,
    /// How many tables it holds the data of.
    pub tables: usize,
    /// How many rows these tables have, counted while decoding.
    pub rows: u64,
    /// How long it took, verification included, in milliseconds.
    pub duration_ms: u64,
    /// How long restoring it took, where that was tried.
    pub drill_ms: Option<u64>,
    /// What the tools warned of.
    pub warnings: Vec<String>,
    /// Why it should be looked at: it is far smaller than the last one.
    pub suspect: Vec<String>,
}

impl Operation for DbBackup {
    const NAME: &'static str = "db-backup";
    const GROUP: Group = Group::Database;
    type Outcome = DbBackupReport;

    fn run(&self, project: &Project) -> Result<DbBackupReport> {
        self.name.as_deref().map_or(Ok(()), name::check_label)?;
        let settings = &project.config().backup;
        let config = BackupJob::from_config(settings, Self::NAME);
        let making = BackupJob {
            label: self.name.as_deref(),
            format: self.format.unwrap_or(config.format),
            jobs: self.jobs.unwrap_or(config.jobs),
            lock_wait: self.lock_wait.map_or(config.lock_wait, Period::duration),
            stall: self.stall.map_or(config.stall, Period::duration),
            ..config
        };
        let _shared = share_database(project, Self::NAME)?;
        let Some(mut made) = making.run(project)? else { return Ok(DbBackupReport::Shown {}) };
        if self.verify == DbBackupVerify::Drill {
            try_restore(project, &mut made)?;
        }
        prune::after_backup(project, Self::NAME, &made.manifest);
        Ok(DbBackupReport::Made(Box::new(BackupReport::from_backup(made))))
    }
}

/// Restores it for a trial. One that cannot be restored is suspect; it stays, since it is all that there is of tonight.
fn try_restore(project: &Project, made: &mut FinishedBackup) -> Result<()> {
    let folder = Folder::open(&project.backup_dir())?;
    match drill::run(project, &folder, &made.manifest, false) {
        Ok(took) => {
            made.manifest.prove(Proof { kind: ProofKind::Drill, at: Timestamp::now(), took_ms: millis(took) });
        }
        Err(error) if error.downcast_ref::<ExecError>().is_some() => return Err(error),
        Err(error) => made.manifest.suspect.push(format!("it could not be restored: {error}")),
    }
    Entry { name: made.name.clone(), manifest: made.manifest.clone() }.save(&folder)
}

impl BackupReport {
    fn from_backup(FinishedBackup { path, manifest, .. }: FinishedBackup) -> Self {
        let drill_ms = manifest.proof(ProofKind::Drill).map(|proof| proof.took_ms);
        let (tables, rows) = (manifest.tables.len(), manifest.rows());
        let BackupManifest { id, label, created, format, bytes, sha256, duration_ms, warnings, suspect, .. } = manifest;
        let database = manifest.database.map(|facts| facts.name).unwrap_or_default();
        let server = manifest.server.unwrap_or_default();
        Self {
            path,
            id,
            label,
            database,
            created,
            format,
            bytes,
            sha256,
            server,
            tables,
            rows,
            duration_ms,
            drill_ms,
            warnings,
            suspect,
        }
    }
}

impl Outcome for DbBackupReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Made(made) if !made.suspect.is_empty() => Exit::CheckFailed,
            _ => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self {
            Self::Made(made) if !made.suspect.is_empty() => vec!["cargo xtask db-backup --list".to_owned()],
            Self::Made(made) if made.drill_ms.is_none() => vec!["cargo xtask db-verify latest --drill".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for DbBackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(made) => made.fmt(f),
            Self::Shown {} => Ok(()),
        }
    }
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, took) = (ByteSize::new(self.bytes), seconds(Duration::from_millis(self.duration_ms)));
        let verdict = if self.suspect.is_empty() { "verified" } else { "SUSPECT" };
        let (tables, rows) = (counted(self.tables, "table"), counted(self.rows, "row"));
        write!(f, "{verdict}: {}\n{size}, {tables}, {rows}, in {took}", self.path)?;
        for reason in &self.suspect {
            write!(f, "\nsuspect: {reason}; no older backup is removed until there is a good one")?;
        }
        for warning in &self.warnings {
            write!(f, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}
