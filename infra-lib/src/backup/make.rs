//! Makes a backup of the database.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;

use crate::config::{ByteSize, DumpFormat};
use crate::hex;
use crate::lock::{Lock, Mode};
use crate::postgres::{Database, PostgresError, Toolbox};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::millis;

use super::catalogue::Catalogue;
use super::draft::{Draft, stem};
use super::dump::Dump;
use super::facts::{self, Facts};
use super::folder::Folder;
use super::manifest::{BackupManifest, Format, Proof, ProofKind, SCHEMA};
use super::verify::{Archive, Digest};
use super::{BackupError, globals, sanity, tools};

/// How long the dump waits for a table that another session has locked.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// How long the dump may produce no output.
const STALL: Duration = Duration::from_secs(120);

/// A backup of the database, with its options.
#[derive(Debug, Clone)]
pub(crate) struct BackupJob<'o> {
    /// The operation that requested it.
    pub(crate) operation: &'static str,
    pub(crate) label: Option<&'o str>,
    /// The id of the set that it belongs to.
    pub(crate) set: Option<&'o str>,
    pub(crate) format: DumpFormat,
    pub(crate) jobs: u32,
    pub(crate) lock_wait: Duration,
    pub(crate) stall: Duration,
}

/// A backup that was made.
#[derive(Debug)]
pub(crate) struct FinishedBackup {
    /// The manifest's file name.
    pub(crate) name: String,
    pub(crate) path: Utf8PathBuf,
    pub(crate) manifest: BackupManifest,
}

/// How long to wait for a server that is starting.
const STARTING: Duration = Duration::from_secs(60);
/// Expected size of a backup, in percent of the previous one.
const GROWTH_PERCENT: u64 = 120;
/// Number of files needed: the backup's own files, the pipe for decoding, and the link to it.
const FILES: u64 = 8;

impl BackupJob<'_> {
    /// A backup with the options of `[backup]` in `infra.toml`.
    pub(crate) fn from_config(config: &crate::config::Backup, operation: &'static str) -> Self {
        Self {
            operation,
            label: None,
            set: None,
            format: config.format.unwrap_or_default(),
            jobs: config.jobs.unwrap_or(1),
            lock_wait: LOCK_WAIT,
            stall: STALL,
        }
    }
}

impl BackupJob<'_> {
    /// Makes the backup. The caller holds the database's lock. `None` in a dry run, which only shows the steps.
    pub(crate) fn run(&self, project: &Project) -> Result<Option<FinishedBackup>> {
        // After a cancellation, report it as the cause, whatever other error occurred.
        self.make(project).map_err(|error| project.cancel().check().err().map_or(error, Error::from))
    }

    fn make(&self, project: &Project) -> Result<Option<FinishedBackup>> {
        let database = project.database()?;
        if project.runner().is_dry_run() {
            return self.show(project, &database).map(|()| None);
        }
        // Before any query: a folder for the backup, and its lock.
        let (folder, place) = Catalogue::folder_for_writing(project)?;
        let _alone = project.lock_backups(folder.path(), self.operation)?;
        self.run_alone(project, &folder, &place).map(Some)
    }

    /// Makes the backup in this folder, whose lock the caller holds too.
    pub(crate) fn run_alone(&self, project: &Project, folder: &Folder, place: &str) -> Result<FinishedBackup> {
        let database = project.database()?;
        let catalogue = Catalogue::from_folder(Some(Folder::open(folder.path())?))?;
        let began = Instant::now();
        let facts = once_started(project, &database)?;
        let mut toolbox = Toolbox::new(project, &database, folder.path(), format!("infra-backup-{place}"))?;
        // Terminate what a killed run left first: it may still be writing its files.
        toolbox.sweep();
        for gone in catalogue.sweep()? {
            project.note(format_args!("removed {gone}, left behind by an interrupted run"));
        }
        warn_of_clock(project, &catalogue);
        let same = |last: &&BackupManifest| last.database.as_ref().is_some_and(|facts| facts.name == database.name);
        let good = catalogue.databases(project).rev().map(|entry| &entry.manifest).filter(|last| last.is_good());
        let last = good.into_iter().find(same);
        let estimate = last.map(|last| last.bytes);
        check_room(folder, last)?;
        tools::check_for_dump(&toolbox, &facts)?;
        project.step(format_args!("backing up {}", facts.database.name));
        let now = Timestamp::now();
        let mut draft =
            Draft::begin(folder, stem(project.name(), &database.name, self.label, now), self.format.into())?;
        let dump = self.dump(&facts, estimate);
        let dumped = dump.fill(project, &mut toolbox, &draft);
        project.cancel().check()?;
        // Checked first, since this may be the cause of the failure.
        if !draft.is_in_place() {
            let (path, what) = (folder.path().to_owned(), "was replaced while it was written to");
            return Err(BackupError::Unsafe { path, what }.into());
        }
        let dumped = dumped?;
        let mut warnings = dumped.warnings;
        if draft.written() == 0 {
            return Err(BackupError::Incomplete { reason: "it is empty".to_owned() }.into());
        }
        let globals = match globals::write(project, &toolbox, &mut draft, &facts.database)? {
            Ok(globals) => Some(globals),
            Err(why) => {
                warnings.push(format!("roles and grants could not be read: {why}"));
                None
            }
        };
        project.step("verifying it");
        let is_durable = draft.sync()?;
        let part = draft.part();
        let archive = Archive { folder, name: &part, format: self.format.into() };
        let Digest { bytes, sha256, files } = archive.digest(project)?;
        let decoding = Instant::now();
        let content = archive.decode(project, &toolbox)?;
        let proof = Proof { kind: ProofKind::Decode, at: Timestamp::now(), took_ms: millis(decoding.elapsed()) };

        let file = draft.file();
        let mut manifest = BackupManifest {
            schema: SCHEMA,
            id: id(project, &database, now)?,
            sequence: catalogue.next_sequence(),
            project: project.name().to_owned(),
            environment: project.environment().name.clone(),
            label: self.label.map(str::to_owned),
            set: self.set.map(str::to_owned),
            created: now,
            duration_ms: 0,
            file,
            format: self.format.into(),
            bytes,
            sha256,
            files,
            compression: Some(dumped.compression.to_owned()),
            encrypted_to: Vec::new(),
            server: Some(facts.server),
            client: content.contents.client.or(content.decoded.remarks.client),
            database: Some(facts.database),
            volume: None,
            tables: content.decoded.tables,
            objects: content.contents.objects,
            globals,
            migration: facts::migration(project, &database),
            git: facts::git(project),
            warnings,
            suspect: Vec::new(),
            verified: vec![proof],
            durability: if is_durable { "full" } else { "none" }.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        };
        if let Some(facts) = &mut manifest.database {
            facts.large_objects = content.decoded.large_objects;
        }
        manifest.suspect = sanity::check(&manifest, last, project.config().backup.min_size);
        manifest.duration_ms = millis(began.elapsed());
        if !is_durable {
            project
                .warn(format_args!("the file system of {} does not promise that files survive a crash", folder.path()));
        }
        let name = draft.publish(&manifest, project.cancel())?;
        if manifest.suspect.is_empty() && !manifest.is_safety_copy() {
            point_latest(project, folder, &manifest);
        }
        Ok(FinishedBackup { name, path: folder.path().join(&manifest.file), manifest })
    }

    fn dump<'f>(&self, facts: &'f Facts, estimate: Option<u64>) -> Dump<'f> {
        Dump {
            format: self.format,
            jobs: self.jobs,
            major: facts.major(),
            encoding: &facts.database.encoding,
            lock_wait: self.lock_wait,
            stall: self.stall,
            estimate,
        }
    }

    fn show(&self, project: &Project, database: &Database) -> Result<()> {
        let facts = once_started(project, database)?;
        let toolbox = Toolbox::new(project, database, &project.backup_dir(), "infra-backup".to_owned())?;
        let format = Format::from(self.format);
        let stem = stem(project.name(), &database.name, self.label, Timestamp::now());
        self.dump(&facts, None).show(&toolbox, &format!("{stem}.{}", format.extension()))
    }
}

/// Warns if the clock is behind the newest backup. Order and retention use the sequence, but people read the names.
fn warn_of_clock(project: &Project, catalogue: &Catalogue) {
    const DRIFT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let now = Timestamp::now();
    if let Some(entry) = catalogue.entries.iter().find(|entry| entry.manifest.created.duration_since(now) > DRIFT) {
        project.warn(format_args!(
            "{} is dated {:.0}, but this machine's clock says {now:.0}: one of them is wrong. No old backup is removed until they agree",
            entry.manifest.file, entry.manifest.created
        ));
    }
}

/// Queries the facts of the database, waiting for a server that is starting.
fn once_started(project: &Project, database: &Database) -> Result<Facts> {
    let until = Instant::now() + STARTING;
    loop {
        match Facts::query(project, database) {
            Err(error)
                if Instant::now() < until && matches!(error.downcast_ref(), Some(PostgresError::Starting { .. })) =>
            {
                project.waiting(error);
                project.cancel().sleep(Duration::from_millis(500))?;
            }
            asked => return asked.map_err(|error| facts::explained(project, database, error)),
        }
    }
}

/// A new id, unique even within a second and across machines.
pub(crate) fn id(project: &Project, database: &Database, now: Timestamp) -> Result<String> {
    Ok(format!("{}-{}", stem(project.name(), &database.name, None, now), hex::random_digits(8)?))
}

/// Checks for the last backup's size plus a fifth, and for enough free inodes.
pub(crate) fn check_room(folder: &Folder, last: Option<&BackupManifest>) -> Result<()> {
    let room = folder.room().map_err(Error::file("look at the disk of", folder.path()))?;
    let needed = last.map_or(0, |last| last.bytes).saturating_mul(GROWTH_PERCENT) / 100;
    let files_needed = FILES + last.map_or(0, |last| last.files.len() as u64);
    let path = folder.path().to_owned();
    if let Some(files) = room.files.filter(|files| *files < files_needed) {
        let (free, needed) = (format!("{files} inodes"), format!("{files_needed}, one for each file,"));
        return Err(BackupError::NoRoom { path, free, needed }.into());
    }
    if room.bytes < needed.max(1) {
        let (free, needed) = (ByteSize::new(room.bytes).to_string(), ByteSize::new(needed.max(1)).to_string());
        return Err(BackupError::NoRoom { path, free, needed }.into());
    }
    Ok(())
}

/// Points `latest` to the newest good backup of the default environment, or `latest-NAME` to another environment's.
/// It is a convenience for users: this library never reads it.
fn point_latest(project: &Project, folder: &Folder, manifest: &BackupManifest) {
    let environment = project.environment();
    let name = if environment.is_default { "latest".to_owned() } else { format!("latest-{}", environment.name) };
    if let Err(error) = folder.point(&name, &manifest.file) {
        project.warn(format_args!("the link {name} was not set: {error}"));
    }
}

/// Acquires the database's lock, shared with other operations that only read or add.
pub(crate) fn share_database(project: &Project, operation: &str) -> Result<Option<crate::lock::Guard>> {
    project.lock(Lock::Database, Mode::Shared, operation)
}
