//! `backup`

use std::fmt;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::files;
use crate::backup::folder::Folder;
use crate::backup::make::{Made, Making, millis, share_database};
use crate::backup::set::Set;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::ByteSize;
use crate::operation::{Group, Operation, Outcome};
use crate::postgres::PostgresError;
use crate::project::Project;
use crate::report::{ago, seconds, table};
use crate::volumes::{Volume, VolumeMaking, resume};

use super::volume_backup::sweep;

/// Back up the database, the declared volumes and files as one set.
///
/// What belongs to it besides the database is stated in `[backup] volumes` and `[backup] files`. The set is listed when all
/// of its parts are proven; where one fails, those before it stay as backups by themselves. The archive of the files may
/// hold secrets, as each archive is readable for its owner alone.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Backup {
    /// Show the sets that there are instead.
    #[cfg_attr(feature = "cli", arg(long))]
    pub list: bool,
}

/// What `backup` did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SetReport {
    /// A set was made.
    Made(BackupSet),
    /// The sets that there are.
    List(SetList),
    /// A dry run made none.
    Shown {},
}

/// A set that was made.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BackupSet {
    /// By what it is restored.
    pub id: String,
    /// When it began.
    pub created: Timestamp,
    /// The parts' files.
    pub parts: Vec<Utf8PathBuf>,
    /// Their size.
    pub bytes: u64,
    /// How long it took, verification included, in milliseconds.
    pub duration_ms: u64,
    /// What was remarked.
    pub warnings: Vec<String>,
    /// Why it should be looked at.
    pub suspect: Vec<String>,
}

/// The sets of this environment, newest first.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SetList {
    /// Where they are.
    pub folder: Utf8PathBuf,
    /// Each set.
    pub sets: Vec<ListedSet>,
    /// What cannot be used, with the reason.
    pub problems: Vec<String>,
}

/// A set of the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedSet {
    /// By what it is restored.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The parts' files.
    pub parts: Vec<String>,
    /// Their size.
    pub bytes: u64,
    /// Whether all of them are there.
    pub is_whole: bool,
}

const LOCK_WAIT: Duration = Duration::from_secs(60);
const STALL: Duration = Duration::from_secs(120);

impl Operation for Backup {
    const NAME: &'static str = "backup";
    const GROUP: Group = Group::Everything;
    type Outcome = SetReport;

    fn is_journaled(&self) -> bool {
        !self.list
    }

    fn run(&self, project: &Project) -> Result<SetReport> {
        if self.list {
            return SetList::read(project).map(SetReport::List);
        }
        let began = Instant::now();
        files::check(project)?;
        let volumes = Volume::declared(project)?;
        volumes.iter().try_for_each(|volume| VolumeMaking { volume, label: None, set: None }.check(project))?;
        let has_database = match project.database() {
            Ok(_) => true,
            Err(Error::Postgres(PostgresError::NotFound)) => false,
            Err(error) => return Err(error),
        };
        if project.runner().is_dry_run() {
            return Self::show(project, &volumes, has_database);
        }
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        resume(project)?;
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
            project.note(format_args!(
                "there is no set, and what was made before stays as a backup by itself: {}",
                files.join(", ")
            ));
        }
        all?;
        let set = Set::publish(project, &folder, &id, now, &made)?;
        let texts = |of: fn(&Made) -> &Vec<String>| made.iter().flat_map(of).cloned().collect();
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
        made: &mut Vec<Made>,
    ) -> Result<()> {
        if has_database {
            made.push(Self::database(project, id).run_alone(project, folder, place)?);
        }
        for volume in volumes {
            made.push(VolumeMaking { volume, label: None, set: Some(id) }.run(project, folder)?);
        }
        if !project.manifest().backup.files.is_empty() {
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

    fn database<'o>(project: &Project, set: &'o str) -> Making<'o> {
        let settings = &project.manifest().backup;
        Making {
            operation: Self::NAME,
            label: None,
            set: Some(set),
            format: settings.format.unwrap_or_default(),
            jobs: settings.jobs.unwrap_or(1),
            lock_wait: LOCK_WAIT,
            stall: STALL,
        }
    }

    fn show(project: &Project, volumes: &[Volume], has_database: bool) -> Result<SetReport> {
        if has_database {
            Self::database(project, "set").run(project)?;
        }
        for volume in volumes {
            VolumeMaking { volume, label: None, set: None }.show(project)?;
        }
        for path in files::stated(project)? {
            project.runner().apply(format_args!("back up {path}"), || Ok::<_, Error>(()))?;
        }
        Ok(SetReport::Shown {})
    }
}

impl SetList {
    fn read(project: &Project) -> Result<Self> {
        let catalogue = Catalogue::read(project)?;
        let (sets, problems) = match &catalogue.folder {
            Some(folder) => Set::all(project, folder)?,
            None => Default::default(),
        };
        let has = |file: &str| catalogue.folder.as_ref().is_some_and(|folder| folder.has(file));
        let sets = sets.into_iter().rev().map(|set| ListedSet {
            is_whole: set.entries(&catalogue).is_ok() && set.parts.iter().all(|part| has(&part.file)),
            bytes: set.parts.iter().map(|part| part.bytes).sum(),
            parts: set.parts.into_iter().map(|part| part.file).collect(),
            id: set.id,
            created: set.created,
        });
        let problems = problems.iter().map(ToString::to_string).collect();
        Ok(Self { folder: project.backup_dir(), sets: sets.collect(), problems })
    }
}

impl Outcome for SetReport {
    fn exit(&self) -> Exit {
        let good = match self {
            Self::Made(set) => set.suspect.is_empty(),
            Self::List(list) => list.problems.is_empty() && list.sets.iter().all(|set| set.is_whole),
            Self::Shown {} => true,
        };
        if good { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl fmt::Display for SetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(set) => set.fmt(f),
            Self::List(list) => list.fmt(f),
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

impl fmt::Display for SetList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = Timestamp::now();
        if self.sets.is_empty() {
            write!(f, "there are no sets in {}", self.folder)?;
        } else {
            let rows = self.sets.iter().map(|set| {
                let state = if set.is_whole { "whole" } else { "a part is missing" };
                [
                    set.id.clone(),
                    format!("{} ago", ago(set.created, now)),
                    set.parts.len().to_string(),
                    ByteSize::new(set.bytes).to_string(),
                    state.to_owned(),
                ]
            });
            write!(f, "{}", table(["SET", "AGE", "PARTS", "SIZE", "STATE"], rows))?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\nproblem: {problem}"))
    }
}
