//! The record of a restore in progress, which a later run uses after a crash.

use serde::{Deserialize, Serialize};

use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::stack::restart::restart;
use crate::stack::start::PATIENCE;

use super::{Keeper, Volume, VolumeLock};

/// The volume being restored, and the services stopped for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The volume's name in the compose files.
    volume: String,
    /// The volume's name on the engine.
    name: String,
    /// The services to start again.
    services: Vec<String>,
    /// Whether the volume is complete, so that only the services remain to be started.
    #[serde(default)]
    is_settled: bool,
}

const FILE: &str = "volume-restore.json";

impl Pending {
    /// Writes the record before anything is changed.
    pub(super) fn note(project: &Project, volume: &Volume, services: Vec<String>) -> Result<Self> {
        let pending = Self { volume: volume.key.clone(), name: volume.name.clone(), services, is_settled: false };
        project.state().write(FILE, &pending)?;
        Ok(pending)
    }

    /// Records that only the services remain to be started.
    pub(super) fn settled(&mut self, project: &Project) -> Result<()> {
        self.is_settled = true;
        Ok(project.state().write(FILE, self)?)
    }

    /// Deletes the record at the end of a restore.
    pub(super) fn remove(project: &Project) -> Result<()> {
        let path = project.state().path().join(FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
            _ => Ok(()),
        }
    }

    fn read(project: &Project) -> Option<Self> {
        project.state().read(FILE)
    }

    fn recover(&self, project: &Project) -> Result<()> {
        let volume = Volume { key: self.volume.clone(), name: self.name.clone(), ambiguous: false };
        if self.is_settled || !volume.exists(project)? {
            return Ok(());
        }
        let _alone = VolumeLock::acquire(project, [&volume], "volume-restore")?;
        let mut keeper = Keeper::new(project, &volume)?;
        keeper.sweep();
        keeper.recover()?.tell(project, &volume);
        Ok(())
    }
}

/// Finishes or undoes a killed restore, restarts the stopped services, and reports it. The caller holds the volumes'
/// lock.
pub(crate) fn resume(project: &Project) -> Result<()> {
    let Some(mut pending) = Pending::read(project).filter(|_| !project.runner().is_dry_run()) else { return Ok(()) };
    pending.recover(project)?;
    pending.settled(project)?;
    if !pending.services.is_empty() {
        project.note(format_args!("starting the services that it had stopped: {}", pending.services.join(", ")));
        for unready in restart(project, &pending.services, PATIENCE)?.not_ready() {
            project.warn(format_args!("not ready: {unready}"));
        }
    }
    Pending::remove(project)
}

/// Recovers from a killed restore before services start, so that none sees an incomplete volume.
pub(crate) fn heal_before_start(project: &Project, operation: &str) -> Result<()> {
    let is_open = |pending: &Pending| !pending.is_settled && !project.runner().is_dry_run();
    if !Pending::read(project).is_some_and(|pending| is_open(&pending)) {
        return Ok(());
    }
    let _alone = project.lock(Lock::Volumes, Mode::Exclusive, operation)?;
    let Some(pending) = Pending::read(project).filter(is_open) else { return Ok(()) };
    pending.recover(project)?;
    if !pending.services.is_empty() {
        project.note(format_args!("it had stopped {}", pending.services.join(", ")));
    }
    Pending::remove(project)
}
