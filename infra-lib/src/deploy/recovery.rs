//! The one rule for interrupted deploys: before old containers are stopped, undo; afterwards, finish.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::compose::Container;
use crate::lock::{Guard, Lock, Mode};
use crate::project::Project;
use crate::project::error::Result;
use crate::release::{Deploys, End, Journal, Mark, Outcome, Running, Step};
use crate::report::millis;
use crate::stack::Preflight;
use crate::stack::launch::launch_some;
use crate::stack::start::PATIENCE;

use super::routes::routes;
use super::run::ready;
use super::{cleanup, converge, watch};

/// The deploy lock, and the project after what was interrupted is settled.
#[must_use = "the lock ends when this is dropped"]
pub(crate) struct Recovered {
    _alone: Option<Guard>,
    reopened: Option<Project>,
}

impl Recovered {
    /// The project: another release may be live now.
    pub(crate) fn project<'p>(&'p self, given: &'p Project) -> &'p Project {
        self.reopened.as_ref().unwrap_or(given)
    }
}

/// Takes the deploy lock and deals with what an interrupted deploy has left. Takes no lock in a dry run, or if nothing
/// was ever deployed here.
///
/// # Errors
///
/// If a deploy is running, which is not interrupted.
pub(crate) fn recover(project: &Project, operation: &str) -> Result<Recovered> {
    let deploys = Deploys::new(project.state(), &project.environment().name);
    let is_exempt = project.runner().is_dry_run() || project.is_deploying();
    if is_exempt || deploys.next_number() == 1 && operation != "deploy" {
        return Ok(Recovered { _alone: None, reopened: None });
    }
    let state = project.state().ensure()?;
    let guard = Lock::Deploy.acquire(state, Mode::Exclusive, operation, Duration::ZERO, project.cancel(), |_| {})?;
    let mut reopened = None;
    if let Some(journal) = deploys.unfinished() {
        let _stack = project.lock(Lock::Stack, Mode::Exclusive, operation)?;
        settle(project, journal)?;
        reopened = Some(project.reopen(None)?);
    }
    Ok(Recovered { _alone: Some(guard), reopened })
}

fn settle(project: &Project, mut journal: Journal) -> Result<()> {
    let since = Instant::now();
    let (state, environment, number) = (project.state(), &project.environment().name, journal.number);
    let Some(begin) = journal.beginning().cloned() else {
        // Not even its first line was written: nothing was done.
        return Ok(journal.end(End { outcome: Outcome::Reverted, cause: None, duration_ms: 0 })?);
    };
    let step = journal.last_step().map(|step| step.to_string()).unwrap_or_default();
    let new = Running::deployed(state, environment, number).map(|new| project.in_release(new)).transpose()?;
    let must_finish = journal.has_reached(Step::Stop) && !journal.has_reached(Step::Undo);
    if let Some(new) = new.as_ref().filter(|_| must_finish) {
        project.note(format_args!("deploy {number} was interrupted at `{step}`; finishing it"));
        // If it cannot be finished, it is undone.
        if finish(new, number)? {
            let duration_ms = millis(since.elapsed());
            return Ok(journal.end(End { outcome: Outcome::Live, cause: None, duration_ms })?);
        }
    }
    project.note(format_args!("deploy {number} was interrupted at `{step}`; undoing it"));
    journal.mark(Step::Undo, Mark::Intent, None)?;
    let old = begin.previous.and_then(|number| Running::deployed(state, environment, number));
    let outcome = match (old, new) {
        (Some(old), _) => back(&project.in_release(old)?, number, &begin.replicas)?,
        (None, Some(new)) if begin.replicas.is_empty() => {
            converge::remove_made_by(&new, number)?;
            Outcome::Reverted
        }
        (None, None) => Outcome::Reverted,
        (None, Some(_)) => Outcome::Partial,
    };
    let (cause, duration_ms) = (Some(format!("interrupted at {step}")), millis(since.elapsed()));
    Ok(journal.end(End { outcome, cause, duration_ms })?)
}

/// Finishes a deploy. `false` if its containers are not ready.
fn finish(new: &Project, number: u64) -> Result<bool> {
    let passed = Preflight::check(new, "deploy", |_| Ok(BTreeSet::new()))?;
    let services = new.select_services(&[])?;
    let until = Instant::now() + PATIENCE;
    let is_ours = |it: &Container| !it.one_off && converge::is_made_by(it, number);
    if ready(launch_some(new, &services, is_ours, until, &passed)?).is_err() {
        return Ok(false);
    }
    let routes = routes(new)?;
    converge::write_routes(new, &routes)?;
    converge::reload(new, routes.iter())?;
    cleanup::check(new)?;
    watch::watch(new, &services, number)?;
    cleanup::containers(new)?;
    Ok(true)
}

fn back(old: &Project, number: u64, replicas: &BTreeMap<String, u32>) -> Result<Outcome> {
    let passed = Preflight::check(old, "deploy", |_| Ok(BTreeSet::new()))?;
    let readiness = converge::undo(old, number, replicas, Instant::now() + PATIENCE, &passed)?;
    Ok(converge::went_back(old, ready(readiness)))
}
