//! Restores a volume: stops the services that use it, makes a backup, and replaces its content.

use std::time::Duration;

use crate::backup::folder::Folder;
use crate::backup::make::FinishedBackup;
use crate::backup::name::BEFORE_RESTORE;
use crate::compose::{Container, Status};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::stack::restart::{Restart, restart};
use crate::stack::start::PATIENCE;
use crate::stack::stop::stop;

use super::exchange::{Checked, Healed};
use super::hint::of_volume;
use super::journal::Pending;
use super::{Keeper, Volume, VolumeBackupJob};

/// A volume, and the archive to restore into it.
pub(crate) struct VolumeRestoreJob<'a> {
    pub(crate) volume: &'a Volume,
    pub(crate) checked: Checked<'a>,
}

/// The result of a volume restore.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// The backup of the previous content.
    pub(crate) safety: Option<FinishedBackup>,
    pub(crate) restarted: Vec<String>,
    /// Services that did not become ready afterwards, with the reason.
    pub(crate) not_ready: Vec<String>,
}

/// How long restarting services may take after a failure.
const AFTERMATH: Duration = Duration::from_secs(60);
/// The operation that holds the stack's lock in the meantime.
const OPERATION: &str = "volume-restore";

impl VolumeRestoreJob<'_> {
    /// Restores the volume. The caller holds the locks of the volumes and of the safety backup's folder.
    pub(crate) fn run(&self, project: &Project, folder: &Folder) -> Result<Restored> {
        let mut keeper = Keeper::new(project, self.volume)?;
        keeper.sweep();
        keeper.check_room(&self.checked)?;
        let services: Vec<String> = self.volume.running(project)?.into_iter().collect();
        let running = containers(project, self.volume)?;
        let mut pending = Pending::note(project, self.volume, services.clone())?;
        match self.exchange(project, folder, &mut keeper, &services) {
            Ok(safety) => {
                pending.settled(project)?;
                let mut restored = Restored { safety: Some(safety), ..Default::default() };
                restored.start(project, services);
                Pending::remove(project)?;
                Ok(restored)
            }
            Err(error) => Err(of_volume(self.undo(project, keeper.afterwards(), &running, error))),
        }
    }

    fn exchange(
        &self,
        project: &Project,
        folder: &Folder,
        keeper: &mut Keeper<'_>,
        services: &[String],
    ) -> Result<FinishedBackup> {
        if !services.is_empty() {
            // Do not stop services that could not be started again.
            drop(Restart::prepare(project, services, OPERATION)?);
            stop(project, services)?;
        }
        let making = VolumeBackupJob { volume: self.volume, label: Some(BEFORE_RESTORE), set: None };
        let safety = making.run(project, folder)?;
        project.step(format_args!("restoring the volume {}", self.volume.key));
        let place = keeper.unpack(project, &self.checked)?;
        project.cancel().check()?;
        keeper.exchange(&place)?;
        Ok(safety)
    }

    /// After a failure or a cancellation, restores the volume's previous content and restarts its services.
    fn undo(&self, project: &Project, mut keeper: Keeper<'_>, running: &[String], error: Error) -> Error {
        keeper.sweep();
        let healed = match keeper.recover() {
            Ok(healed) => healed,
            Err(reason) => {
                return Error::new(
                    Exit::Partial,
                    format!(
                        "the restore of the volume `{}` was not finished ({error}), nor could it be undone: {reason}",
                        self.volume.key
                    ),
                )
                .with_hint("`cargo xtask start` tries again to undo it, and then starts what uses the volume");
            }
        };
        let start = Invocation::new("docker").arg("start").args(running.iter().cloned()).deadline(AFTERMATH);
        let started = running.is_empty() || project.runner().aftermath().change(&start).is_ok();
        let removed = Pending::remove(project);
        match (healed, started && removed.is_ok()) {
            (Healed::Finished, _) => Error::new(
                Exit::Partial,
                format!("the volume `{}` was restored, but then: {error}", self.volume.key),
            )
            .with_hint(
                "`cargo xtask start` starts what uses it; the backup named before-restore has the previous content",
            ),
            (_, true) => error,
            (_, false) => Error::new(
                Exit::Partial,
                format!("the volume is unchanged, but the services that use it were not started again: {error}"),
            )
            .with_hint("`cargo xtask start` starts them"),
        }
    }
}

impl Restored {
    /// Starts the stopped services and waits until they are ready. A failure here does not undo the restore.
    fn start(&mut self, project: &Project, services: Vec<String>) {
        if services.is_empty() {
            return;
        }
        project.step(format_args!("starting {}", services.join(", ")));
        match restart(project, &services, PATIENCE) {
            Ok(restarted) => {
                self.not_ready = restarted.not_ready();
                self.restarted = restarted.services;
            }
            Err(error) => self.not_ready.push(error.to_string()),
        }
    }
}

/// The running containers that mount the volume.
fn containers(project: &Project, volume: &Volume) -> Result<Vec<String>> {
    let runs = |container: &Container| container.status == Status::Running;
    Ok(volume.containers(project)?.into_iter().filter(runs).map(|container| container.id).collect())
}
