//! A trial: the backup is restored into a database that is thrown away.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::lock::{Lock, Mode};
use crate::postgres::{Database, TempDatabase, Toolbox};
use crate::project::Project;

use super::beside::{self, Purpose, Unfinished};
use super::facts::Facts;
use super::folder::Folder;
use super::manifest::BackupManifest;
use super::preflight;
use super::restore::Filling;

/// Restores a backup whose digest was checked, compares what came of it, and says how long that took.
pub(crate) fn run(
    project: &Project,
    folder: &Folder,
    manifest: &BackupManifest,
    spare_server: bool,
) -> Result<Duration> {
    if spare_server {
        let server = TempDatabase::start()?;
        // It has none of the roles that own things in the backup, and needs none of them to hold the data.
        let database = server.as_database(project);
        return fill(project, &database, folder, manifest, &["--no-owner", "--no-privileges", "--exit-on-error"]);
    }
    let live = project.database()?;
    let _shared = project.lock(Lock::Database, Mode::Shared, "db-verify")?;
    fill(project, &live, folder, manifest, &["--exit-on-error"])
}

fn fill(
    project: &Project,
    live: &Database,
    folder: &Folder,
    manifest: &BackupManifest,
    how: &[&str],
) -> Result<Duration> {
    let from = beside::maintenance(project, live)?;
    let facts = Facts::ask(project, &from)?;
    preflight::check(project, &from, &facts, manifest, !how.contains(&"--no-owner"))?;
    let name = Purpose::Drill.name(&live.name)?;
    project.step(format_args!("restoring {} into {name}, for a trial", manifest.file));
    let began = Instant::now();
    if project.runner().is_dry_run() {
        return Ok(began.elapsed());
    }
    let unfinished = Unfinished::new(project, &from, &name)?;
    beside::create(project, &from, &live.name, &name, Purpose::Drill, manifest.database.as_ref(), facts.major())?;
    let toolbox = Toolbox::new(project, live, folder.path(), name.clone())?;
    let target = Database { name: name.clone(), ..live.clone() };
    let filling = Filling::new(project, &toolbox, folder, manifest, jobs());
    let filled = filling.restore(&target, how).and_then(|()| filling.compare(&target));
    let took = began.elapsed();
    unfinished.abandon(project);
    filled.map(|()| took)
}

/// As many as there are cores, and not more than a small server bears.
pub(crate) fn jobs() -> u32 {
    const MOST: usize = 4;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores.min(MOST)).unwrap_or(1)
}
