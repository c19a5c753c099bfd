//! `db-backup`

mod list;

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Entry;
use crate::backup::folder::Folder;
use crate::backup::make::{Made, Making, millis, share_database};
use crate::backup::{BackupManifest, Format, Listing, Proof, ProofKind, drill, prune};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::{ByteSize, DumpFormat, Period};
use crate::operation::{Group, Operation, Outcome};
use crate::project::Project;
use crate::report::seconds;

pub use list::ListedBackup;

/// Back up the database, and prove that the backup is whole.
///
/// The backup counts only once it is written, synced, hashed and decoded to its end; whatever else happens leaves
/// nothing. Roles, grants and the database's settings stand beside it.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbBackup {
    /// Give it a name; one that has a name is kept until it is removed by hand.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub name: Option<String>,
    /// How it is written; default: what `infra.toml` says, else one compressed archive.
    #[cfg_attr(feature = "cli", arg(long, value_enum, value_name = "FORMAT"))]
    pub format: Option<DumpFormat>,
    /// How many tables are dumped at once, with `--format directory`.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256)))]
    pub jobs: Option<u32>,
    /// How it is proven: decoded, or restored into a throw-away database as well.
    #[cfg_attr(feature = "cli", arg(long, value_enum, default_value_t, value_name = "HOW"))]
    pub verify: Verify,
    /// How long a table that somebody has locked is waited for; default: 1m.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub lock_wait: Option<Period>,
    /// Give up when nothing was written for so long; default: 2m.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub stall: Option<Period>,
    /// Show the backups that there are instead.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with_all = ["name", "format", "jobs", "verify"]))]
    pub list: bool,
}

/// How a backup is proven when it is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Verify {
    /// All of it is decoded.
    #[default]
    Decode,
    /// It is restored into a throw-away database as well, and compared.
    Drill,
}

/// What `db-backup` did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum DbBackupReport {
    /// A backup was made.
    Made(Box<BackupReport>),
    /// The backups that there are.
    List(Listing<ListedBackup>),
    /// A dry run made none.
    Shown {},
}

/// A backup that was made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackupReport {
    /// Its file or folder.
    pub path: Utf8PathBuf,
    /// Unique.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// The database.
    pub database: String,
    /// When it began.
    pub created: Timestamp,
    /// How it is written.
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The server's version.
    pub server: String,
    /// How many tables it holds the data of.
    pub tables: usize,
    /// How many rows.
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

const LOCK_WAIT: Duration = Duration::from_secs(60);
const STALL: Duration = Duration::from_secs(120);

impl Operation for DbBackup {
    const NAME: &'static str = "db-backup";
    const GROUP: Group = Group::Database;
    type Outcome = DbBackupReport;

    fn is_journaled(&self) -> bool {
        !self.list
    }

    fn run(&self, project: &Project) -> Result<DbBackupReport> {
        if self.list {
            return Ok(DbBackupReport::List(list::read(project)?));
        }
        let settings = &project.manifest().backup;
        let making = Making {
            operation: Self::NAME,
            label: self.name.as_deref(),
            set: None,
            format: self.format.or(settings.format).unwrap_or_default(),
            jobs: self.jobs.or(settings.jobs).unwrap_or(1),
            lock_wait: self.lock_wait.map_or(LOCK_WAIT, Period::duration),
            stall: self.stall.map_or(STALL, Period::duration),
        };
        let _shared = share_database(project, Self::NAME)?;
        let Some(mut made) = making.run(project)? else { return Ok(DbBackupReport::Shown {}) };
        if self.verify == Verify::Drill {
            try_restore(project, &mut made)?;
        }
        prune::after_backup(project, Self::NAME, &made.manifest);
        Ok(DbBackupReport::Made(Box::new(BackupReport::of(made))))
    }
}

impl DbBackupReport {
    /// The backup, if one was made.
    pub fn made(&self) -> Option<&BackupReport> {
        match self {
            Self::Made(made) => Some(made),
            Self::List(_) | Self::Shown {} => None,
        }
    }
}

/// Restores it for a trial. One that cannot be restored is suspect; it stays, since it is all that there is of tonight.
fn try_restore(project: &Project, made: &mut Made) -> Result<()> {
    let folder = Folder::open(&project.backup_dir())?;
    match drill::run(project, &folder, &made.manifest, false) {
        Ok(took) => {
            made.manifest.prove(Proof { kind: ProofKind::Drill, at: Timestamp::now(), took_ms: millis(took) });
        }
        Err(error @ Error::Exec(_)) => return Err(error),
        Err(error) => made.manifest.suspect.push(format!("it could not be restored: {error}")),
    }
    Entry { name: made.name.clone(), manifest: made.manifest.clone() }.save(&folder)
}

impl BackupReport {
    fn of(Made { path, manifest, .. }: Made) -> Self {
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
            Self::List(list) => list.exit(),
            _ => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self {
            Self::Made(made) if !made.suspect.is_empty() => vec!["cargo xtask db-backup --list".to_owned()],
            Self::Made(made) if made.drill_ms.is_none() => vec!["cargo xtask db-verify latest --drill".to_owned()],
            Self::List(list) if list.backups.is_empty() => vec!["cargo xtask db-backup".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for DbBackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(made) => made.fmt(f),
            Self::List(list) => list.fmt(f),
            Self::Shown {} => Ok(()),
        }
    }
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, took) = (ByteSize::new(self.bytes), seconds(Duration::from_millis(self.duration_ms)));
        let verdict = if self.suspect.is_empty() { "verified" } else { "SUSPECT" };
        write!(f, "{verdict}: {}\n{size}, {} tables, {} rows, in {took}", self.path, self.tables, self.rows)?;
        for reason in &self.suspect {
            write!(f, "\nsuspect: {reason}; nothing older is removed until a good one is there")?;
        }
        for warning in &self.warnings {
            write!(f, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}
