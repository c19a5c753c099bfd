//! When Compose gives up: who is to blame, and what is left.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::readiness::Verdict;
use crate::compose::{ComposeError, Container, Status};
use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{Project, UnreadyContainer};
use crate::stack::grace::stop_containers;

use super::StartReport;

/// Explains why the containers were not created. None was started.
pub(super) fn explain(
    project: &Project,
    services: &BTreeSet<String>,
    error: ComposeError,
    began: Instant,
) -> Result<StartReport> {
    match &error {
        ComposeError::Failed(ExecError::Exited { tail, .. }) => {
            let paused = paused(project, services)?;
            if !paused.is_empty() {
                let mut report = StartReport::new(project, &project.containers()?, began);
                report.culprits = paused;
                return Ok(report);
            }
            Err(Error::new(Exit::Failed, format!("the stack did not start: {}", last_words(tail)))
                .with_hint("nothing was started; `-v` shows the full output of Compose"))
        }
        ComposeError::Failed(ExecError::TimedOut { .. }) => {
            let mut report = StartReport::new(project, &project.containers()?, began);
            report.timed_out = true;
            Ok(report)
        }
        ComposeError::NoImage { message } => {
            Err(ComposeError::NoImage { message: missing_images(project, services, message)? }.into())
        }
        _ => after_interruption(project, Err(error.into())),
    }
}

/// The paused containers of these services, which Compose cannot start.
fn paused(project: &Project, services: &BTreeSet<String>) -> Result<Vec<UnreadyContainer>> {
    let mut containers = project.containers()?;
    containers.retain(|container| container.status == Status::Paused && services.contains(&container.service));
    let verdict = Verdict::Failed("paused".to_owned());
    Ok(containers.iter().map(|container| project.culprit(container, &verdict)).collect())
}

/// If the engine could not start a container, for a port, a mount or a device, nothing of ours is left running that was
/// not running before: the container itself is not at fault.
pub(super) fn undo_if_not_started(
    project: &Project,
    before: &[Container],
    culprits: &[UnreadyContainer],
) -> Result<()> {
    let Some(culprit) = culprits.iter().find(|culprit| culprit.state.starts_with("not started")) else { return Ok(()) };
    undo(project, before)?;
    Err(Error::new(Exit::Failed, format!("the stack did not start: `{}` was {}", culprit.service, culprit.state))
        .with_hint("what this command started was stopped again; `-v` shows the full output of Docker"))
}

/// Stops what runs now and did not run before.
fn undo(project: &Project, before: &[Container]) -> Result<()> {
    let is_up = |container: &&Container| !matches!(container.status, Status::Exited | Status::Created);
    let ran: BTreeSet<&str> = before.iter().filter(is_up).map(|container| container.id.as_str()).collect();
    let now = project.containers()?;
    let started = now.iter().filter(is_up).filter(|container| !ran.contains(container.id.as_str()));
    stop_containers(project, project.model()?, started)?;
    Ok(())
}

/// Compose says which registry it asked in vain, but not for what.
fn missing_images(project: &Project, services: &BTreeSet<String>, message: &str) -> Result<String> {
    let model = project.model()?;
    let pulled = model.services.iter().filter(|(name, service)| services.contains(*name) && service.build.is_none());
    let missing: Vec<String> = pulled
        .filter_map(|(name, service)| Some((name, service.image.as_deref()?)))
        .filter(|(_, image)| {
            let look = Invocation::new("docker").args(["image", "inspect", "--format", "{{.Id}}", image]);
            project.compose().read(project.runner(), &look).is_err()
        })
        .map(|(name, image)| format!("{image} of service `{name}`"))
        .collect();
    Ok(if missing.is_empty() { message.to_owned() } else { format!("{}: {message}", missing.join(", ")) })
}

/// The result, after saying what runs if it is an interruption.
pub(super) fn after_interruption<T>(project: &Project, result: Result<T>) -> Result<T> {
    if let Err(error) = &result
        && matches!(error.exit(), Exit::Signal(_))
    {
        say_what_runs(project);
    }
    result
}

/// After an interruption: what was started by then is left running.
fn say_what_runs(project: &Project) {
    let containers = project.compose().containers(&project.runner().aftermath()).unwrap_or_default();
    let running = containers.iter().filter(|container| container.status == Status::Running);
    let names: Vec<_> = running.map(|container| container.service.as_str()).collect();
    if names.is_empty() {
        project.note("interrupted; nothing is running");
    } else {
        project.note(format_args!("interrupted; still running: {} (`cargo xtask stop` stops them)", names.join(", ")));
    }
}

fn last_words(tail: &str) -> String {
    tail.lines()
        .rev()
        .find(|line| line.to_lowercase().contains("error"))
        .or(tail.lines().next_back())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
