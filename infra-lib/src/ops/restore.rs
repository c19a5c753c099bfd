//! `restore`

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::{Catalogue, Entry};
use crate::backup::folder::Folder;
use crate::backup::set::Set;
use crate::backup::{files, verify};
use crate::compose::Status;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{ago, counted, millis, seconds};
use crate::stack::replicas;
use crate::state::private_dir;
use crate::volumes::{Checked, Volume, VolumeLock, VolumeRestoreJob, resume};

use super::clean::refuse_other_engine;
use super::{DbRestore, Restart, Scale, Start};

/// Restore a backup set: database, volumes and files.
///
/// All parts are verified before any of them is changed, and you are asked once. Then the database is swapped, then
/// each volume, then the files; the previous content of each is kept.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Restore {
    /// `latest`, a date such as 2026-11-20 (or with a time), or a set's id.
    #[cfg_attr(feature = "cli", arg(value_name = "DATE", required = true))]
    pub date: String,
}

/// What a restore of a set did.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct SetRestoreReport {
    /// The id of the set, as `backup --list` shows it.
    pub set: String,
    /// What was restored, each in words.
    pub restored: Vec<String>,
    /// How to go back, each in words.
    pub undo: Vec<String>,
    /// Services that did not become ready afterwards, each with what is wrong.
    pub not_ready: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Operation for Restore {
    const NAME: &'static str = "restore";
    const GROUP: Group = Group::Everything;
    type Outcome = SetRestoreReport;

    fn run(&self, project: &Project) -> Result<SetRestoreReport> {
        let began = Instant::now();
        let _still = project.lock(Lock::Volumes, Mode::Exclusive, Self::NAME)?;
        resume(project)?;
        if project.has_services() {
            refuse_other_engine(project)?;
        }
        let catalogue = Catalogue::read(project)?;
        let Some(folder) = &catalogue.folder else {
            return Set::find(&[], &self.date).map(|_| SetRestoreReport::default());
        };
        let set = Set::find(&Set::all(project, folder)?.0, &self.date)?;
        let entries = set.entries(&catalogue)?;
        for entry in &entries {
            project.step(format_args!("verifying {}", entry.manifest.file));
            verify::check(project, folder, &entry.manifest)?;
        }
        let volumes = volumes(project, &entries)?;
        confirm(project, &set, &entries, &volumes)?;
        let mut report = SetRestoreReport { set: set.id.clone(), ..Default::default() };
        if project.runner().is_dry_run() {
            project.runner().apply(format_args!("restore {}", set.id), || Ok::<_, Error>(()))?;
            return Ok(report);
        }
        let _volumes = VolumeLock::acquire(project, volumes.iter().map(|(volume, _)| volume), Self::NAME)?;
        let done = restore(project, folder, &entries, &volumes, &mut report);
        report.duration_ms = millis(began.elapsed());
        match done {
            Ok(()) => Ok(report),
            Err(error) if report.restored.is_empty() => Err(error),
            Err(error) => {
                let message = format!(
                    "only a part of {} was restored: {}; then it failed: {error}",
                    set.id,
                    report.restored.join(", ")
                );
                let hint =
                    format!("`cargo xtask restore {}` repeats it; to go back: {}", set.id, report.undo.join("; "));
                Err(Error::new(Exit::Partial, message).with_hint(hint))
            }
        }
    }
}

/// The volumes of a set, each of which must exist on the engine and be free to be swapped.
fn volumes<'e>(project: &Project, entries: &[&'e Entry]) -> Result<Vec<(Volume, &'e Entry)>> {
    let of_volumes = entries.iter().filter_map(|entry| Some((entry.manifest.volume.as_deref()?, *entry)));
    let found = of_volumes.map(|(key, entry)| {
        let volume = Volume::find(project, key)?;
        volume.refuse_postgres(project)?;
        volume.running(project)?;
        Ok((volume, entry))
    });
    found.collect()
}

fn confirm(project: &Project, set: &Set, entries: &[&Entry], volumes: &[(Volume, &Entry)]) -> Result<()> {
    let mut destruction = project.destruction(Restore::NAME, Vec::new());
    destruction.ambiguous = volumes.iter().any(|(volume, _)| volume.ambiguous);
    destruction.items.push(format!("the set {}, {} old, will replace:", set.id, ago(set.created, Timestamp::now())));
    destruction.items.extend(entries.iter().map(|entry| subject(entry)));
    destruction.items.push("the current content of each is kept".to_owned());
    project.consent(&destruction)
}

fn subject(entry: &Entry) -> String {
    match (&entry.manifest.database, &entry.manifest.volume) {
        (Some(database), _) => format!("the database {}", database.name),
        (None, Some(volume)) => format!("the volume {volume}"),
        (None, None) => "files".to_owned(),
    }
}

fn restore(
    project: &Project,
    folder: &Folder,
    entries: &[&Entry],
    volumes: &[(Volume, &Entry)],
    report: &mut SetRestoreReport,
) -> Result<()> {
    for entry in entries.iter().filter(|entry| entry.manifest.database.is_some()) {
        let options = DbRestore { backup: Some(entry.manifest.file.clone()), ..Default::default() };
        let restored = project.consented()?.nested(&options)?;
        report.restored.push(subject(entry));
        report.not_ready.extend(restored.not_ready);
        report.undo.push(match restored.safety_backup {
            Some(file) => format!("`cargo xtask db-restore {file}`"),
            None => "`cargo xtask db-restore --rollback`".to_owned(),
        });
    }
    let (own, _) = Catalogue::folder_for_writing(project)?;
    let _alone = project.lock_backups(own.path(), Restore::NAME)?;
    for (volume, entry) in volumes {
        let checked = Checked::read(project, folder, &entry.manifest)?;
        let restored = VolumeRestoreJob { volume, checked }.run(project, &own)?;
        report.restored.push(subject(entry));
        report.not_ready.extend(restored.not_ready);
        let safety = restored.safety.map(|made| made.manifest.file).unwrap_or_default();
        report.undo.push(format!("`cargo xtask volume-restore {} {safety}`", volume.key));
    }
    let is_files = |entry: &&&Entry| entry.manifest.database.is_none() && entry.manifest.volume.is_none();
    for entry in entries.iter().filter(is_files) {
        let aside = aside(project)?;
        let changed = files::restore(project, folder, &entry.manifest, &aside)?;
        report.restored.push(counted(changed.len(), "file"));
        if !changed.is_empty() {
            report.undo.push(format!("files that were replaced are in {aside}"));
            start_again(project, report);
        }
    }
    Ok(())
}

/// Where files are kept that give way to those of the backup.
fn aside(project: &Project) -> Result<Utf8PathBuf> {
    let all = project.state().ensure()?.join("restored");
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let own = all.join(time);
    for folder in [&all, &own] {
        private_dir(folder).map_err(Error::file("create", folder))?;
    }
    Ok(own)
}

/// Restarts what runs, so that it reads its new settings. Everything is restored; what is not ready is reported.
fn start_again(project: &Project, report: &mut SetRestoreReport) {
    let again = || -> Result<Vec<String>> {
        if !project.has_services() {
            return Ok(Vec::new());
        }
        let containers = project.containers()?;
        let running = containers.iter().filter(|container| container.status == Status::Running && !container.one_off);
        let services: BTreeSet<String> = running.map(|container| container.service.clone()).collect();
        let services: Vec<String> = services.into_iter().collect();
        if services.is_empty() {
            return Ok(Vec::new());
        }
        // The env files may be among them.
        let anew = project.reopen(None)?;
        let scale =
            services.iter().map(|name| Scale { service: name.clone(), count: replicas::count(&containers, name) });
        let start = Start { services: services.clone(), scale: scale.collect(), timeout: None };
        let started = anew.nested(&start)?;
        let restarted = anew.nested(&Restart { services, timeout: None })?;
        let culprits = started.culprits.iter().chain(&restarted.settled.culprits);
        Ok(culprits.map(|culprit| format!("{}: {}", culprit.service, culprit.state)).collect())
    };
    match again() {
        Ok(not_ready) => report.not_ready.extend(not_ready),
        Err(error) => report.not_ready.push(error.to_string()),
    }
}

impl Outcome for SetRestoreReport {
    fn exit(&self) -> Exit {
        if self.not_ready.is_empty() { Exit::Ok } else { Exit::Partial }
    }

    fn next(&self) -> Vec<String> {
        if self.not_ready.is_empty() { Vec::new() } else { vec!["cargo xtask health".to_owned()] }
    }
}

impl fmt::Display for SetRestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.restored.is_empty() {
            return f.write_str("nothing was changed");
        }
        let took = seconds(Duration::from_millis(self.duration_ms));
        write!(f, "restored from {} in {took}: {}", self.set, self.restored.join(", "))?;
        self.undo.iter().try_for_each(|undo| write!(f, "\nto go back: {undo}"))?;
        self.not_ready.iter().try_for_each(|what| write!(f, "\nnot ready: {what}"))
    }
}
