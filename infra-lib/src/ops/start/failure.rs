//! When Compose gives up: who is to blame, and what is left.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::compose::readiness::Baseline;
use crate::compose::{ComposeError, Container, Status};
use crate::error::{Error, Result};
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::project::Project;
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
    let interrupted = matches!(&error, ComposeError::Failed(ExecError::Cancelled { .. }));
    if interrupted {
        say_what_runs(project);
    }
    if interrupted || !matches!(&error, ComposeError::Failed(ExecError::Exited { .. } | ExecError::TimedOut { .. })) {
        return Err(error.into());
    }
    let timed_out = matches!(&error, ComposeError::Failed(ExecError::TimedOut { .. }));
    let readiness = project.wait_ready(services, baseline, Instant::now())?;
    let mut report = StartReport::new(project, &project.containers()?, began);
    report.timed_out = timed_out;
    match readiness {
        Readiness::Failed(culprits) if culprits.iter().any(|culprit| culprit.state != "not started") => {
            report.culprits = culprits;
        }
        Readiness::TimedOut(culprits) if timed_out => report.culprits = culprits,
        _ => {
            undo(project, before)?;
            let ComposeError::Failed(cause) = &error else { return Err(error.into()) };
            return Err(Error::new(Exit::Failed, format!("the stack did not start: {}", last_words(cause.tail())))
                .with_hint(
                    "what this command had started was stopped again; `-v` shows everything that Compose said",
                ));
        }
    }
    Ok(report)
}

/// Stops what runs now and did not run before.
fn undo(project: &Project, before: &[Container]) -> Result<()> {
    let ran: BTreeSet<&str> = before
        .iter()
        .filter(|container| container.status == Status::Running)
        .map(|container| container.id.as_str())
        .collect();
    let started: BTreeSet<String> = project
        .containers()?
        .into_iter()
        .filter(|container| container.status != Status::Exited && !ran.contains(container.id.as_str()))
        .map(|container| container.service)
        .collect();
    if !started.is_empty() {
        project.compose().change(project.runner(), &project.compose().call(["stop"]).args(started))?;
    }
    Ok(())
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
