//! Removing the backups that the policy lets go.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Keep;
use crate::project::Project;

use super::catalogue::{Catalogue, Entry};
use super::folder::Folder;
use super::manifest::BackupManifest;
use super::retention::{self, Candidate, KeepsNothing};
use super::{BackupError, draft, name};

/// What becomes of the backups of an environment.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// Those of each database and volume, newest first.
    pub(crate) all: Vec<Fate>,
    /// Why none of a database, or of all, may go.
    pub(crate) stopped: Vec<String>,
}

/// A backup, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Fate {
    pub(crate) entry: Entry,
    /// Why it stays.
    pub(crate) reasons: Vec<String>,
    pub(crate) goes: bool,
}

/// What was removed, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Names of manifests.
    pub(crate) gone: BTreeSet<String>,
    /// Names of manifests, with what the system said.
    pub(crate) remaining: BTreeMap<String, String>,
}

impl From<KeepsNothing> for Error {
    fn from(error: KeepsNothing) -> Self {
        Self::new(Exit::Usage, error.to_string())
            .with_hint("state a number above zero, such as `--keep-daily 30`, or `keep = { daily = 30 }` in infra.toml")
    }
}

impl Fates {
    /// Decides about the backups of this project's environment; those of each database and each volume by themselves.
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

    /// What was made together is restored together: where one of a set stays, all of it does.
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

    /// Those that go.
    pub(crate) fn going(&self) -> impl Iterator<Item = &Entry> {
        self.all.iter().filter(|fate| fate.goes).map(|fate| &fate.entry)
    }
}

/// Decides anew, under the folder's lock, and removes what goes; of that only what was shown before, if anything was.
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
            project.note(format_args!("removed {gone}, which an interrupted run had left"));
        }
    }
    for entry in fates.going().filter(|entry| shown.is_none_or(|shown| shown.contains(&entry.name))) {
        // A name that another manifest has as well is not ours to remove.
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

/// What a backup that was just made calls, where `infra.toml` says `prune = true`. It never changes how that one ended.
pub(crate) fn after_backup(project: &Project, operation: &'static str, made: &BackupManifest) {
    let settings = &project.manifest().backup;
    if !settings.prune || !made.is_good() {
        return;
    }
    match remove(project, operation, &settings.keep, None) {
        Ok((fates, removed)) => {
            for name in &removed.gone {
                project.note(format_args!("removed {}, which is no longer to be kept", name.trim_end_matches(".json")));
            }
            for (name, why) in &removed.remaining {
                project.warn(format_args!("{name} is no longer to be kept, and could not be removed: {why}"));
            }
            for why in &fates.stopped {
                project.warn(format_args!("no older backup is removed: {why}"));
            }
        }
        Err(error) => project.warn(format_args!("no older backup is removed: {error}")),
    }
}

/// Takes a backup's manifest away, and then its files. The manifest stays under another name till the last, so that the
/// next run knows which files are to go if this one is killed.
fn withdraw(folder: &Folder, entry: &Entry, spared: &BTreeSet<&str>) -> Result<()> {
    let failed = |name: &str| Error::file("remove", folder.path().join(name));
    let announced = draft::part(entry.stem(), "json");
    folder.publish(&entry.name, &announced).map_err(failed(&entry.name))?;
    folder.sync().map_err(failed(&entry.name))?;
    for file in entry.files().filter(|file| !spared.contains(file)) {
        folder.remove(file).map_err(failed(file))?;
    }
    folder.remove(&announced).map_err(failed(&announced))?;
    folder.sync().map_err(failed(&entry.name))?;
    Ok(())
}

/// What cannot be read may be the newest backup, and nobody knows whether that is good.
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
        // A backup whose file is gone or was cut proves nothing any more.
        verified: !verified.is_empty() && catalogue.has_file_of(entry),
        suspect: !suspect.is_empty(),
    }
}
