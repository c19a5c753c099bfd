//! Removes the backups that the retention policy does not keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::Keep;
use crate::exit::Exit;
use crate::hex;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::catalogue::{Catalogue, Entry};
use super::folder::Folder;
use super::manifest::BackupManifest;
use super::record::Record;
use super::retention::{self, Candidate, KeepsNothing};
use super::{BackupError, draft, name};

/// The retention decisions for an environment's backups.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// All decisions, by database and volume, newest first.
    pub(crate) all: Vec<Fate>,
    /// Why nothing may be removed, for one database or for all.
    pub(crate) stopped: Vec<String>,
}

/// A backup and its retention decision.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    pub(crate) entry: Entry,
    /// The reasons to keep it; empty if it may be removed.
    pub(crate) reasons: Vec<String>,
    pub(crate) goes: bool,
}

/// The backups that were removed, and those that could not be.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Names of the removed manifests.
    pub(crate) gone: BTreeSet<String>,
    /// Names of manifests that remain, with the error.
    pub(crate) remaining: BTreeMap<String, String>,
}

impl From<KeepsNothing> for Error {
    fn from(error: KeepsNothing) -> Self {
        Self::new(Exit::Usage, error.to_string())
            .with_hint("use a number above zero, such as `--keep-daily 30`, or `keep = { daily = 30 }` in infra.toml")
    }
}

impl Fates {
    /// Decides about the backups of this project's environment, separately for each database and volume.
    pub(crate) fn decide(project: &Project, catalogue: &Catalogue, keep: &Keep) -> Result<Self> {
        let mut by_subject: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
        for entry in catalogue.entries.iter().filter(|entry| entry.is_of(project)) {
            by_subject.entry(entry.subject()).or_default().push(entry);
        }
        let mut fates = Self { stopped: unreadable(project, catalogue), ..Self::default() };
        let is_off = !fates.stopped.is_empty();
        for entries in by_subject.into_values() {
            let candidates: Vec<Candidate> = entries.iter().map(|entry| candidate(entry, catalogue)).collect();
            let plan = retention::plan(keep, &candidates, Timestamp::now())?;
            fates.stopped.extend(plan.stopped);
            let entry = |id: &str| entries.iter().find(|entry| entry.stem() == id).copied().cloned();
            let kept = plan.kept.into_iter().map(|kept| (kept.backup, kept.reasons, false));
            let removed = plan.removed.into_iter().map(|backup| (backup, Vec::new(), !is_off));
            let all = kept.chain(removed);
            fates.all.extend(
                all.filter_map(|(backup, reasons, goes)| Some(Fate { entry: entry(&backup.id)?, reasons, goes })),
            );
        }
        fates.keep_sets_whole();
        fates.all.sort_by_key(|fate| std::cmp::Reverse(fate.entry.manifest.sequence));
        Ok(fates)
    }

    /// Keeps sets complete: if one backup of a set is kept, all of its backups are.
    fn keep_sets_whole(&mut self) {
        let sets = self.all.iter().filter(|fate| !fate.goes).filter_map(|fate| fate.entry.manifest.set.clone());
        let kept: BTreeSet<String> = sets.collect();
        for fate in self.all.iter_mut().filter(|fate| fate.goes) {
            if fate.entry.manifest.set.as_ref().is_some_and(|set| kept.contains(set)) {
                fate.goes = false;
                fate.reasons.push("set".to_owned());
            }
        }
    }

    /// The backups to remove.
    pub(crate) fn going(&self) -> impl Iterator<Item = &Entry> {
        self.all.iter().filter(|fate| fate.goes).map(|fate| &fate.entry)
    }
}

/// Decides again under the folder's lock and removes the result, limited to the backups shown before, if any.
pub(crate) fn remove(
    project: &Project,
    operation: &'static str,
    keep: &Keep,
    shown: Option<&BTreeSet<String>>,
) -> Result<(Fates, Removed)> {
    let path = project.backup_dir();
    let _alone = project.lock_backups(&path, operation)?;
    let catalogue = Catalogue::read(project)?;
    let fates = Fates::decide(project, &catalogue, keep)?;
    let mut removed = Removed::default();
    let Some(folder) = &catalogue.folder else { return Ok((fates, removed)) };
    if !project.runner().is_dry_run() {
        for gone in catalogue.sweep()? {
            project.note(format_args!("removed {gone}, left behind by an interrupted run"));
        }
    }
    for entry in fates.going().filter(|entry| shown.is_none_or(|shown| shown.contains(&entry.name))) {
        // A name that another manifest lists as well must not be removed.
        let others =
            catalogue.entries.iter().filter(|other| other.name != entry.name && !removed.gone.contains(&other.name));
        let spared: BTreeSet<&str> = others.flat_map(Entry::files).collect();
        let name = entry.name.clone();
        project.cancel().check()?;
        match project
            .runner()
            .apply(format_args!("remove {}", entry.manifest.file), || withdraw(folder, entry, &spared))
        {
            Ok(Some(())) => drop(removed.gone.insert(name)),
            Ok(None) => {}
            Err(error) => drop(removed.remaining.insert(name, error.to_string())),
        }
    }
    Ok((fates, removed))
}

/// Prunes after a backup if `infra.toml` contains `prune = true`. It never changes the result of the backup.
pub(crate) fn after_backup(project: &Project, operation: &'static str, made: &BackupManifest) {
    let settings = &project.config().backup;
    if !settings.prune || !made.is_good() {
        return;
    }
    match remove(project, operation, &settings.keep, None) {
        Ok((fates, removed)) => {
            for name in &removed.gone {
                project.note(format_args!("removed {}, which is past its retention", name.trim_end_matches(".json")));
            }
            for (name, why) in &removed.remaining {
                project.warn(format_args!("{name} is past its retention, but could not be removed: {why}"));
            }
            for why in &fates.stopped {
                project.warn(format_args!("no older backup is removed: {why}"));
            }
        }
        Err(error) => project.warn(format_args!("no older backup is removed: {error}")),
    }
}

/// Removes a backup's manifest and then its files. The manifest is renamed first and deleted last, so that the next
/// run knows which files to remove if this one is killed.
fn withdraw(folder: &Folder, entry: &Entry, spared: &BTreeSet<&str>) -> Result<()> {
    let failed = |name: &str| Error::file("remove", folder.path().join(name));
    let announced = draft::part(entry.stem(), &hex::random_digits(draft::NONCE)?, "json");
    let _record = Record::write(folder, vec![announced.clone()]).map_err(failed(&entry.name))?;
    folder.publish(&entry.name, &announced).map_err(failed(&entry.name))?;
    folder.sync().map_err(failed(&entry.name))?;
    for file in entry.files().filter(|file| !spared.contains(file)) {
        folder.remove(file).map_err(failed(file))?;
    }
    folder.remove(&announced).map_err(failed(&announced))?;
    folder.sync().map_err(failed(&entry.name))?;
    Ok(())
}

/// Unreadable manifests: each may be of the newest backup, and it is unknown whether that is good.
fn unreadable(project: &Project, catalogue: &Catalogue) -> Vec<String> {
    let own = format!("{}-", name::encode(project.name()));
    let is_own = |problem: &&BackupError| match problem {
        BackupError::Manifest { file, .. } | BackupError::Schema { file, .. } => file.starts_with(&own),
        _ => false,
    };
    catalogue.problems.iter().filter(is_own).map(ToString::to_string).collect()
}

fn candidate(entry: &Entry, catalogue: &Catalogue) -> Candidate {
    let BackupManifest { sequence, created, label, verified, suspect, .. } = &entry.manifest;
    Candidate {
        id: entry.stem().to_owned(),
        sequence: *sequence,
        created: *created,
        labelled: label.is_some(),
        // A backup whose file is missing or truncated no longer counts as verified.
        verified: !verified.is_empty() && catalogue.has_file_of(entry),
        suspect: !suspect.is_empty(),
    }
}
