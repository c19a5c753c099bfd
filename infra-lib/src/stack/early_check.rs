//! Asking containers that the engine still calls starting.

use std::thread;

use crate::compose::container::{Container, Health, Status};
use crate::compose::own_check::Answer;
use crate::config::StartChecks;
use crate::project::Project;

/// Whether a container that is still starting passes its own check now. The engine finds that out at its next turn.
pub(crate) fn passes(project: &Project, container: &Container) -> bool {
    let is_starting = container.status == Status::Running && container.health == Health::Starting;
    let is_allowed = project.config().start.checks == StartChecks::Own;
    let Some(check) = container.check.as_ref().filter(|_| is_starting && is_allowed) else { return false };
    matches!(check.run(project.runner(), &container.id, true), Ok(Answer::Passed))
}

/// Sets the health of the starting containers that pass their own check.
pub(crate) fn refresh(project: &Project, containers: &mut [Container]) {
    thread::scope(|scope| {
        for container in containers {
            scope.spawn(move || {
                if passes(project, container) {
                    container.health = Health::Healthy;
                }
            });
        }
    });
}
