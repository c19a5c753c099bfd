//! Restoring a volume: what uses it is stopped, what is in it is backed up, and then it is exchanged.

use std::time::Duration;

use crate::backup::folder::Folder;
use crate::backup::make::Made;
use crate::compose::{Container, Status};
use crate::error::{Error, Result};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::ops::{Restart, Stop};
use crate::project::Project;

use super::exchange::{Checked, Healed};
use super::pending::Pending;
use super::{Keeper, Volume, VolumeMaking};

/// A volume, and the archive that it is to hold.
pub(crate) struct VolumeRestoring<'a> {
    pub(crate) volume: &'a Volume,
    pub(crate) checked: Checked<'a>,
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// What was there before, as a backup.
    pub(crate) safety: Option<Made>,
    pub(crate) restarted: Vec<String>,
    /// Services that did not become ready afterwards, each with what is wrong.
    pub(crate) not_ready: Vec<String>,
}

/// How long services may take to be started again after a failure.
const AFTERMATH: Duration = Duration::from_secs(60);

impl VolumeRestoring<'_> {
    /// Does it. The caller has the locks of the volumes and of the folder that the safety backup goes to.
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
            Err(error) => Err(self.go_back(project, keeper.afterwards(), &running, error)),
        }
    }

    fn exchange(
        &self,
        project: &Project,
        folder: &Folder,
        keeper: &mut Keeper<'_>,
        services: &[String],
    ) -> Result<Made> {
        if !services.is_empty() {
            project.nested(&Stop { services: services.to_vec() })?;
        }
        let making = VolumeMaking { volume: self.volume, label: Some("before-restore"), set: None };
        let safety = making.run(project, folder)?;
        project.step(format_args!("restoring the volume {}", self.volume.key));
        let place = keeper.unpack(project, &self.checked)?;
        project.cancel().check()?;
        keeper.exchange(&place)?;
        Ok(safety)
    }

    /// After a failure: the volume as it was, and its services running again, also when we were told to end.
    fn go_back(&self, project: &Project, mut keeper: Keeper<'_>, running: &[String], error: Error) -> Error {
        keeper.sweep();
        let healed = match keeper.heal() {
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
                format!("the volume `{}` holds the backup, and then: {error}", self.volume.key),
            )
            .with_hint(
                "`cargo xtask start` starts what uses it; the backup that is named before-restore holds what was there",
            ),
            (_, true) => error,
            (_, false) => Error::new(
                Exit::Partial,
                format!("the volume is as it was, and what uses it is not started again: {error}"),
            )
            .with_hint("`cargo xtask start` starts it"),
        }
    }
}

impl Restored {
    /// Starts what was stopped, and waits until it is ready. The restore is done, and stays done.
    fn start(&mut self, project: &Project, services: Vec<String>) {
        if services.is_empty() {
            return;
        }
        project.step(format_args!("starting {}", services.join(", ")));
        match project.nested(&Restart { services, timeout: None }) {
            Ok(restarted) => {
                self.restarted = restarted.restarted;
                let culprits = restarted.settled.culprits.iter();
                self.not_ready = culprits.map(|culprit| format!("{}: {}", culprit.service, culprit.state)).collect();
            }
            Err(error) => self.not_ready.push(error.to_string()),
        }
    }
}

/// The running containers that have the volume.
fn containers(project: &Project, volume: &Volume) -> Result<Vec<String>> {
    let runs = |container: &Container| container.status == Status::Running;
    Ok(volume.containers(project)?.into_iter().filter(runs).map(|container| container.id).collect())
}
