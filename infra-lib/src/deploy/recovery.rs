//! The one rule for interrupted deploys: before old containers are stopped, undo; afterwards, finish.

use std::time::{Duration, Instant};

use crate::lock::{Guard, Lock, Mode};
use crate::project::Project;
use crate::project::error::Result;
use crate::release::{Deploys, End, Journal, Mark, Outcome, Running, Step};
use crate::stack::Preflight;
use crate::stack::start::PATIENCE;

use super::run::ready;
use super::{cleanup, containers, converge, watch};

/// Takes the deploy lock and deals with what an interrupted deploy has left. `None` in a dry run, or if nothing was
/// ever deployed here.
///
/// # Errors
///
/// If a deploy is running, which is not interrupted.
pub(crate) fn recover(project: &Project, operation: &str) -> Result<Option<Guard>> {
    let deploys = Deploys::new(project.state(), &project.environment().name);
    if project.runner().is_dry_run() || deploys.next_number() == 1 && operation != "deploy" {
        return Ok(None);
    }
    let state = project.state().ensure()?;
    let guard = Lock::Deploy.acquire(state, Mode::Exclusive, operation, Duration::ZERO, project.cancel(), |_| {})?;
    if let Some(journal) = deploys.unfinished() {
        settle(project, journal)?;
    }
    Ok(Some(guard))
}

fn settle(project: &Project, mut journal: Journal) -> Result<()> {
    let began = Instant::now();
    let (state, environment, number) = (project.state(), &project.environment().name, journal.number);
    let Some(begin) = journal.beginning().cloned() else {
        // Not even its first line was written: nothing was done.
        return Ok(journal.end(End { outcome: Outcome::Reverted, cause: None, duration_ms: 0 })?);
    };
    let step = journal.last_step().map(|step| step.to_string()).unwrap_or_default();
    let new = Running::deployed(state, environment, number);
    let finishes = journal.has_reached(Step::Stop) && !journal.has_reached(Step::Undo);
    let outcome = if let Some(new) = new.clone().filter(|_| finishes) {
        project.note(format_args!("deploy {number} was interrupted at `{step}`; finishing it"));
        finish(&project.in_release(new)?, number)
    } else {
        Ok(false)
    };
    let outcome = match outcome {
        Ok(true) => Outcome::Live,
        _ => {
            project.note(format_args!("deploy {number} was interrupted at `{step}`; undoing it"));
            journal.mark(Step::Undo, Mark::Intent, None)?;
            let old = begin.previous.and_then(|number| Running::deployed(state, environment, number));
            match (old, new) {
                (Some(old), _) => back(&project.in_release(old)?, number, &begin.replicas)?,
                (None, Some(new)) if begin.replicas.is_empty() => {
                    let new = project.in_release(new)?;
                    let present = new.containers()?;
                    containers::remove(&new, present.iter().filter(|it| converge::is_made_by(it, number)))?;
                    Outcome::Reverted
                }
                (None, None) => Outcome::Reverted,
                (None, Some(_)) => Outcome::Partial,
            }
        }
    };
    let duration_ms = crate::report::millis(began.elapsed());
    let cause = (outcome != Outcome::Live).then(|| format!("interrupted at {step}"));
    Ok(journal.end(End { outcome, cause, duration_ms })?)
}

/// Finishes a deploy. `false` if its containers are not ready.
fn finish(new: &Project, number: u64) -> Result<bool> {
    let passed = Preflight::check(new, "deploy", |_| Ok(std::collections::BTreeSet::new()))?;
    let services = new.select_services(&[])?;
    let until = Instant::now() + PATIENCE;
    let is_ours = |it: &crate::compose::Container| !it.one_off && converge::is_made_by(it, number);
    if ready(containers::launch(new, &services, is_ours, until, &passed)?).is_err() {
        return Ok(false);
    }
    converge::point_to(new, &super::routes::routes(new)?)?;
    cleanup::check(new)?;
    watch::watch(new, &services, number)?;
    cleanup::containers(new)?;
    Ok(true)
}

fn back(old: &Project, number: u64, replicas: &std::collections::BTreeMap<String, u32>) -> Result<Outcome> {
    let passed = Preflight::check(old, "deploy", |_| Ok(std::collections::BTreeSet::new()))?;
    let readiness = converge::undo(old, number, replicas, Instant::now() + PATIENCE, &passed)?;
    match ready(readiness) {
        Ok(()) => Ok(Outcome::Reverted),
        Err(error) => {
            old.warn(format_args!("what ran before is not healthy: {error}"));
            Ok(Outcome::Partial)
        }
    }
}
