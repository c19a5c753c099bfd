//! When Compose gives up: who is to blame, and what is left.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::readiness::Baseline;
use crate::compose::{ComposeError, Container, Status};
use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::services::Readiness;

use super::StartReport;

/// Compose gave up. If a container is to blame, that is a finding; otherwise nothing of ours is left running that
/// was not running before.
pub(super) fn explain(
    project: &Project,
    services: &BTreeSet<String>,
    before: &[Container],
    baseline: &Baseline,
    error: ComposeError,
    began: Instant,
) -> Result<StartReport> {
    let timed_out = match &error {
        ComposeError::Failed(ExecError::Exited { .. }) => false,
        ComposeError::Failed(ExecError::TimedOut { .. }) => true,
        ComposeError::NoImage { message } => {
            undo(project, before)?;
            return Err(ComposeError::NoImage { message: missing_images(project, services, message)? }.into());
        }
        _ => return after_interruption(project, Err(error.into())),
    };
    let mut seen = project.containers()?;
    project.remember_volumes(&seen)?;
    let readiness = project.wait_ready_from(&mut seen, services, baseline, Instant::now())?;
    let mut report = StartReport::new(project, &seen, began);
    report.timed_out = timed_out;
    match readiness {
        // One that the engine could not start is no finding about the container: a port, a mount, a device.
        Readiness::Failed(culprits) if !culprits.iter().any(|culprit| culprit.state.starts_with("not started")) => {
            report.culprits = culprits;
        }
        Readiness::TimedOut(culprits) if timed_out => report.culprits = culprits,
        _ => {
            undo(project, before)?;
            let ComposeError::Failed(cause) = &error else { return Err(error.into()) };
            return Err(Error::new(Exit::Failed, format!("the stack did not start: {}", last_words(cause.tail())))
                .with_hint("what this command started was stopped again; `-v` shows the full output of Compose"));
        }
    }
    Ok(report)
}

/// Stops what runs now and did not run before.
fn undo(project: &Project, before: &[Container]) -> Result<()> {
    let is_up = |container: &&Container| !matches!(container.status, Status::Exited | Status::Created);
    let ran: BTreeSet<&str> = before.iter().filter(is_up).map(|container| container.id.as_str()).collect();
    let now = project.containers()?;
    let started: Vec<&str> = now.iter().filter(is_up).map(|container| container.id.as_str()).collect();
    let started: Vec<&str> = started.into_iter().filter(|id| !ran.contains(id)).collect();
    if !started.is_empty() {
        let stop = Invocation::new("docker").args(["stop", "-t", "60"]).args(started);
        project.compose().change(project.runner(), &stop)?;
    }
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
