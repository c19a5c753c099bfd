//! A restore that is under way: what a run that is killed leaves to the next one.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::lock::{Lock, Mode};
use crate::ops::Restart;
use crate::project::Project;

use super::{Keeper, Volume};

/// Which volume is being restored, and who was stopped for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// As the compose files call it.
    volume: String,
    /// As the engine calls it.
    name: String,
    /// The services that are to run again.
    services: Vec<String>,
    /// Whether the volume is what it should be, so that only the services are missing.
    #[serde(default)]
    is_settled: bool,
}

const FILE: &str = "volume-restore.json";

impl Pending {
    /// Notes it, before anything is changed.
    pub(super) fn note(project: &Project, volume: &Volume, services: Vec<String>) -> Result<Self> {
        let pending = Self { volume: volume.key.clone(), name: volume.name.clone(), services, is_settled: false };
        project.state().write(FILE, &pending)?;
        Ok(pending)
    }

    /// Notes that only the services are to be started yet.
    pub(super) fn settled(&mut self, project: &Project) -> Result<()> {
        self.is_settled = true;
        project.state().write(FILE, self)
    }

    /// It is over.
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

    fn heal(&self, project: &Project) -> Result<()> {
        let volume = Volume { key: self.volume.clone(), name: self.name.clone(), ambiguous: false };
        if self.is_settled || !volume.exists(project)? {
            return Ok(());
        }
        let mut keeper = Keeper::new(project, &volume)?;
        keeper.sweep();
        keeper.heal()?.tell(project, &volume);
        Ok(())
    }
}

/// Ends what a restore that was killed has left, and starts again what it had stopped; says so. The caller has the volumes' lock.
pub(crate) fn resume(project: &Project) -> Result<()> {
    let Some(mut pending) = Pending::read(project).filter(|_| !project.runner().is_dry_run()) else { return Ok(()) };
    pending.heal(project)?;
    pending.settled(project)?;
    if !pending.services.is_empty() {
        project.note(format_args!("starting again what it had stopped: {}", pending.services.join(", ")));
        let services = pending.services;
        let restarted = project.nested(&Restart { services, timeout: None })?;
        for culprit in &restarted.settled.culprits {
            project.warn(format_args!("{} is not ready: {}", culprit.service, culprit.state));
        }
    }
    Pending::remove(project)
}

/// Services that start must not see half of a volume: ends what a restore that was killed has left.
pub(crate) fn heal_before_start(project: &Project, operation: &str) -> Result<()> {
    let is_open = |pending: &Pending| !pending.is_settled && !project.runner().is_dry_run();
    if !Pending::read(project).is_some_and(|pending| is_open(&pending)) {
        return Ok(());
    }
    let _alone = project.lock(Lock::Volumes, Mode::Exclusive, operation)?;
    let Some(pending) = Pending::read(project).filter(is_open) else { return Ok(()) };
    pending.heal(project)?;
    if !pending.services.is_empty() {
        project.note(format_args!("it had stopped {}", pending.services.join(", ")));
    }
    Pending::remove(project)
}
