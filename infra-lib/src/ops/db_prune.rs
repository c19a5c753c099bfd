//! `db-prune`

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::{Catalogue, Entry};
use crate::backup::prune::{self, Fate, Fates, Removed};
use crate::config::{ByteSize, Keep, Period};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{ago, table};

/// List backups past their retention, or delete them with --yes.
///
/// Lists the backups that the retention policy would delete, and deletes them with `--yes`, or in a protected
/// environment with `--confirm` and the project's name. The policy is in `infra.toml`; each option replaces the number
/// there. Only verified backups count; the three newest always stay, as do named backups. If the newest backup is
/// suspect, or a clock has jumped, nothing is deleted.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbPrune {
    /// Keep the newest N backups.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub keep_last: Option<u32>,
    /// Keep the newest backup of each of the last N days.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub keep_daily: Option<u32>,
    /// Keep the newest backup of each of the last N ISO weeks.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub keep_weekly: Option<u32>,
    /// Keep the newest backup of each of the last N months.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub keep_monthly: Option<u32>,
    /// Keep the newest backup of each of the last N years.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub keep_yearly: Option<u32>,
    /// Keep all backups made within this time before the newest.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub keep_within: Option<Period>,
}

/// What becomes of the backups, or has.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DbPruneReport {
    /// The backup folder, as `[backup] dir` sets it.
    pub folder: Utf8PathBuf,
    /// Each backup of this environment, newest first.
    pub backups: Vec<PrunedBackup>,
    /// How many bytes were freed.
    pub freed_bytes: u64,
    /// How many bytes would be, were it not only shown.
    pub removable_bytes: u64,
    /// Why nothing may be removed, where something is odd.
    pub stopped: Vec<String>,
    /// What removes them.
    #[serde(skip)]
    command: String,
}

/// A backup, and what becomes of it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PrunedBackup {
    /// Its file or folder.
    pub file: String,
    /// Unique id, made of project, database, UTC time and a random part.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its size in bytes, with its accompanying files.
    pub bytes: u64,
    /// What becomes of it.
    pub state: PrunedState,
    /// Why it stays: `last`, `daily 2026-11-20`, `weekly 2026-W47`, `monthly 2026-11`, `yearly 2026`, `within 30d`,
    /// `label`, `floor`, `set`, `not verified`, `suspect`; or why it could not be removed.
    pub reasons: Vec<String>,
}

/// What becomes of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PrunedState {
    /// It stays.
    Kept,
    /// It may go, and was only shown.
    Removable,
    /// It is gone.
    Removed,
    /// It should be gone.
    Remaining,
}

impl Operation for DbPrune {
    const NAME: &'static str = "db-prune";
    const GROUP: Group = Group::Database;
    type Outcome = DbPruneReport;

    fn run(&self, project: &Project) -> Result<DbPruneReport> {
        let keep = self.keep(&project.config().backup.keep);
        let catalogue = Catalogue::read(project)?;
        let fates = Fates::decide(project, &catalogue, &keep)?;
        if catalogue.folder.is_none() || !project.is_consent_given() {
            return Ok(DbPruneReport::from_fates(project, fates, &Removed::default()));
        }
        let item = |entry: &Entry| format!("{}  {}", entry.manifest.file, ByteSize::new(entry.bytes()));
        let items: Vec<String> = fates.going().map(item).collect();
        if !items.is_empty() {
            project.consent(&project.destruction(Self::NAME, items))?;
        }
        let shown: BTreeSet<String> = fates.going().map(|entry| entry.name.clone()).collect();
        let (fates, removed) = prune::remove(project, Self::NAME, &keep, Some(&shown))?;
        Ok(DbPruneReport::from_fates(project, fates, &removed))
    }
}

impl DbPrune {
    fn keep(&self, stated: &Keep) -> Keep {
        Keep {
            last: self.keep_last.or(stated.last),
            daily: self.keep_daily.or(stated.daily),
            weekly: self.keep_weekly.or(stated.weekly),
            monthly: self.keep_monthly.or(stated.monthly),
            yearly: self.keep_yearly.or(stated.yearly),
            within: self.keep_within.or(stated.within),
        }
    }
}

impl DbPruneReport {
    fn from_fates(project: &Project, fates: Fates, removed: &Removed) -> Self {
        let backups: Vec<PrunedBackup> =
            fates.all.into_iter().map(|fate| PrunedBackup::from_fate(fate, removed)).collect();
        let bytes = |state| backups.iter().filter(|backup| backup.state == state).map(|backup| backup.bytes).sum();
        let environment = project.environment();
        let chosen = if environment.is_default { String::new() } else { format!("-e {} ", environment.name) };
        let consent = if environment.protected { format!("--confirm {}", project.name()) } else { "--yes".to_owned() };
        Self {
            folder: project.backup_dir(),
            freed_bytes: bytes(PrunedState::Removed),
            removable_bytes: bytes(PrunedState::Removable),
            stopped: fates.stopped,
            command: format!("cargo xtask {chosen}{} {consent}", DbPrune::NAME),
            backups,
        }
    }

    fn count(&self, state: PrunedState) -> usize {
        self.backups.iter().filter(|backup| backup.state == state).count()
    }
}

impl PrunedBackup {
    fn from_fate(fate: Fate, removed: &Removed) -> Self {
        let Fate { entry, mut reasons, goes } = fate;
        let state = match removed.remaining.get(&entry.name) {
            Some(why) => {
                reasons.push(why.clone());
                PrunedState::Remaining
            }
            None if removed.gone.contains(&entry.name) => PrunedState::Removed,
            None if goes => PrunedState::Removable,
            None => PrunedState::Kept,
        };
        let bytes = entry.bytes();
        let manifest = entry.manifest;
        let (file, id, label, created) = (manifest.file, manifest.id, manifest.label, manifest.created);
        Self { file, id, label, created, bytes, state, reasons }
    }
}

impl Outcome for DbPruneReport {
    fn exit(&self) -> Exit {
        match (self.count(PrunedState::Remaining), self.count(PrunedState::Removed)) {
            (0, _) if self.stopped.is_empty() => Exit::Ok,
            (0, _) => Exit::CheckFailed,
            (_, 0) => Exit::Failed,
            _ => Exit::Partial,
        }
    }

    fn next(&self) -> Vec<String> {
        let is_open = self.count(PrunedState::Removable) + self.count(PrunedState::Remaining) > 0;
        if is_open { vec![self.command.clone()] } else { Vec::new() }
    }
}

impl fmt::Display for DbPruneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backups.is_empty() {
            write!(f, "there are no backups in {}", self.folder)?;
        } else {
            let now = Timestamp::now();
            let rows = self.backups.iter().map(|backup| backup.row(now));
            write!(f, "{}", table(["BACKUP", "AGE", "SIZE", "STATE", "WHY"], rows))?;
        }
        for why in &self.stopped {
            write!(f, "\nnothing is removed: {why}")?;
        }
        let (removed, removable) = (self.count(PrunedState::Removed), self.count(PrunedState::Removable));
        if removed > 0 {
            write!(f, "\nremoved {removed}: {} freed", ByteSize::new(self.freed_bytes))?;
        }
        if removable > 0 {
            let size = ByteSize::new(self.removable_bytes);
            write!(f, "\n{removable} can be deleted to free {size}; `{}` deletes them", self.command)?;
        }
        Ok(())
    }
}

impl PrunedBackup {
    fn row(&self, now: Timestamp) -> [String; 5] {
        let state = match self.state {
            PrunedState::Kept => "kept",
            PrunedState::Removable => "delete",
            PrunedState::Removed => "removed",
            PrunedState::Remaining => "NOT DELETED",
        };
        let age =
            if self.created > now { "in the future".to_owned() } else { format!("{} ago", ago(self.created, now)) };
        [self.file.clone(), age, ByteSize::new(self.bytes).to_string(), state.to_owned(), self.reasons.join(", ")]
    }
}
