//! Restore drill: restores a backup into a scratch database, which is dropped afterwards.

use std::time::{Duration, Instant};

use crate::lock::{Lock, Mode};
use crate::postgres::{Database, TempDatabase, Toolbox};
use crate::project::Project;
use crate::project::error::Result;

use super::facts::Facts;
use super::folder::Folder;
use super::manifest::BackupManifest;
use super::restore::RestoreJob;
use super::scratch_db::{self, Purpose};
use super::unfinished::Unfinished;
use super::{preflight, tools};

/// Restores a backup whose digest was checked, compares the result, and returns the duration.
pub(crate) fn run(
    project: &Project,
    folder: &Folder,
    manifest: &BackupManifest,
    spare_server: bool,
) -> Result<Duration> {
    if spare_server {
        let server = TempDatabase::start()?;
        // The server lacks the backup's roles, and needs none of them to hold the data.
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
    let from = scratch_db::maintenance(project, live)?;
    let facts = Facts::query(project, &from)?;
    preflight::check(project, &from, &facts, manifest, !how.contains(&"--no-owner"))?;
    let name = Purpose::Drill.name(&live.name)?;
    let toolbox = Toolbox::new(project, live, folder.path(), name.clone())?;
    tools::check_for_restore(&toolbox, &facts, manifest.format)?;
    project.step(format_args!("restoring {} into {name} as a test", manifest.file));
    let began = Instant::now();
    if project.runner().is_dry_run() {
        return Ok(began.elapsed());
    }
    let unfinished = Unfinished::new(project, &from, &name)?;
    scratch_db::create(project, &from, &live.name, &name, Purpose::Drill, manifest.database.as_ref(), facts.major())?;
    let target = Database { name: name.clone(), ..live.clone() };
    let filling = RestoreJob::new(project, &toolbox, folder, manifest, jobs());
    let filled = preflight::check_extensions(project, &target, manifest.database.as_ref())
        .and_then(|()| filling.restore(&target, how))
        .and_then(|()| filling.compare(&target));
    let took = began.elapsed();
    if let Err(error) = filled {
        unfinished.abandon(project);
        return Err(error);
    }
    unfinished.remove(project).map(|()| took)
}

/// Number of parallel jobs: one per core, up to what a small server can handle.
pub(crate) fn jobs() -> u32 {
    const MOST: usize = 4;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores.min(MOST)).unwrap_or(1)
}
