//! One deploy, from its first line in the journal to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::config::Period;
use crate::exit::Exit;
use crate::fs::atomic;
use crate::journal;
use crate::lock::{Guard, Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::services::{Readiness, describe};
use crate::release::{Beginning, Deploys, End, Journal, Label, Mark, Outcome, Release, Running, Step};
use crate::report::millis;
use crate::stack::Preflight;
use crate::stack::start::PATIENCE;

use super::overlay;
use super::plan::Plan;
use super::{cleanup, converge, preflight, server_version};

/// What the operation above does in the middle of a deploy.
pub(crate) struct Steps<'a> {
    /// Makes a backup if one is due.
    pub(crate) backup: &'a dyn Fn(&Project) -> Result<()>,
    /// Applies pending migrations.
    pub(crate) migrate: &'a dyn Fn(&Project) -> Result<()>,
}

/// A deploy that has begun.
pub(crate) struct Deployment<'a> {
    pub(super) old: Option<Project>,
    pub(super) new: Project,
    /// Like `new`, but not cancelled by a signal: for what is finished in any case.
    pub(super) settled: Project,
    pub(super) plan: Plan,
    pub(super) journal: Journal,
    pub(super) passed: Preflight,
    pub(super) steps: Steps<'a>,
    began: Instant,
    _stack: Option<Guard>,
}

/// How a deploy ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) number: u64,
    pub(crate) outcome: Outcome,
    /// Why it is not live.
    pub(crate) cause: Option<Error>,
    pub(crate) took: Duration,
}

impl<'a> Deployment<'a> {
    /// Begins the deploy of a release: `undeployed` is the project opened from it. The caller holds the deploy lock.
    pub(crate) fn begin(
        undeployed: &Project,
        release: &Release,
        plan: Plan,
        is_rollback: bool,
        steps: Steps<'a>,
    ) -> Result<Self> {
        preflight::check(undeployed)?;
        let stack = undeployed.lock(Lock::Stack, Mode::Exclusive, "deploy")?;
        let environment = &undeployed.environment().name;
        let state = undeployed.state();
        let deploys = Deploys::new(state, environment);
        let live = deploys.live().map(|live| live.number);
        let old = live.and_then(|number| Running::deployed(state, environment, number));
        let old = old.map(|running| undeployed.in_release_to_the_end(running)).transpose()?;
        // Before the journal begins: what is taken or missing changes nothing.
        let services: BTreeSet<String> = plan.services.iter().map(|planned| planned.service.clone()).collect();
        let passed = Preflight::check(undeployed, "deploy", |_| Ok(services))?;
        server_version::refuse_other_major(undeployed, release, &passed.before)?;
        let replicas = passed.before.iter().filter(|it| !it.one_off && !it.status.is_down()).fold(
            BTreeMap::new(),
            |mut all, it| {
                *all.entry(it.service.clone()).or_insert(0) += 1;
                all
            },
        );
        let first = Beginning {
            release: release.id.clone(),
            previous: live,
            rollback: is_rollback,
            by: journal::who(),
            replicas,
        };
        let journal = deploys.begin(state, first)?;
        let written = write_overlay(undeployed, release, &plan, journal.number, old.as_ref());
        let running = Running::deployed(state, environment, journal.number);
        let opened = written.and_then(|()| {
            let gone = || Error::new(Exit::NotFound, format!("release {} is gone", release.id));
            let running = running.ok_or_else(gone)?;
            Ok((undeployed.in_release(running.clone())?, undeployed.in_release_to_the_end(running)?))
        });
        let began = Instant::now();
        match opened {
            Ok((new, settled)) => Ok(Self { old, new, settled, plan, journal, passed, steps, began, _stack: stack }),
            Err(error) => {
                let mut journal = journal;
                journal.end(End { outcome: Outcome::Reverted, cause: Some(error.to_string()), duration_ms: 0 })?;
                Err(error)
            }
        }
    }

    /// Deploys. What fails before old containers are stopped is undone; later, it is undone with a gap.
    pub(crate) fn run(mut self) -> Result<Ended> {
        let (outcome, cause) = match self.advance() {
            Ok(()) => (Outcome::Live, None),
            Err(error) => (self.undo(&error)?, Some(error)),
        };
        let text = cause.as_ref().map(|error| self.new.runner().redactor().clean(&error.to_string()));
        self.journal.end(End { outcome, cause: text, duration_ms: millis(self.began.elapsed()) })?;
        if outcome == Outcome::Live {
            crash_point(Step::Live, Mark::Done);
            self.clean_up();
        }
        Ok(Ended { number: self.journal.number, outcome, cause, took: self.began.elapsed() })
    }

    /// Does one step, with its intent in the journal before and its result after it.
    pub(super) fn step<T>(&mut self, step: Step, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.journal.mark(step, Mark::Intent, None)?;
        crash_point(step, Mark::Intent);
        match act(self) {
            Ok(value) => {
                self.journal.mark(step, Mark::Done, None)?;
                crash_point(step, Mark::Done);
                Ok(value)
            }
            Err(error) => {
                let text = self.new.runner().redactor().clean(&error.to_string());
                self.journal.mark(step, Mark::Failed, Some(text))?;
                Err(error)
            }
        }
    }

    /// When the new containers must be ready.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.new.config().deploy.ready_timeout.map_or(PATIENCE, Period::duration)
    }

    fn undo(&mut self, cause: &Error) -> Result<Outcome> {
        self.settled.note(format_args!("failed, going back: {cause}"));
        self.journal.mark(Step::Undo, Mark::Intent, None)?;
        let number = self.journal.number;
        let wanted = self.journal.beginning().map(|begin| begin.replicas.clone()).unwrap_or_default();
        let Some(old) = &self.old else { return self.undo_first(wanted.is_empty()) };
        let readiness = converge::undo(old, number, &wanted, self.deadline(), &self.passed);
        let outcome = converge::went_back(old, readiness.and_then(ready).and_then(|()| super::watch::probe(old)));
        if outcome == Outcome::Reverted {
            self.journal.mark(Step::Undo, Mark::Done, None)?;
        }
        Ok(outcome)
    }

    /// Before the first deploy no release can be gone back to. If nothing ran, nothing runs afterwards.
    fn undo_first(&self, was_empty: bool) -> Result<Outcome> {
        if !was_empty {
            return Ok(Outcome::Partial);
        }
        converge::remove_made_by(&self.settled, self.journal.number)?;
        Ok(Outcome::Reverted)
    }

    /// A release that is live stays live if something cannot be tidied up.
    pub(super) fn clean_up(&self) {
        for result in [cleanup::containers(&self.settled), cleanup::releases(&self.settled)] {
            if let Err(error) = result {
                self.settled.warn(format_args!("not cleaned up: {error}; the next deploy tries again"));
            }
        }
    }
}

/// An error with the containers that are not ready.
pub(super) fn ready(readiness: Readiness) -> Result<()> {
    match readiness {
        Readiness::Ready => Ok(()),
        Readiness::Failed(culprits) => Err(Error::new(Exit::Failed, format!("not healthy\n{}", describe(&culprits)))),
        Readiness::TimedOut(culprits) => {
            Err(Error::new(Exit::Failed, format!("not ready in time\n{}", describe(&culprits))))
        }
    }
}

/// Writes the overlay: services that are kept have the labels that their containers have.
fn write_overlay(project: &Project, release: &Release, plan: &Plan, number: u64, old: Option<&Project>) -> Result<()> {
    let before = old.map(overlay::labels_here).unwrap_or_default();
    let label = |planned: &super::Planned| {
        let new = Label { number, release: release.id.clone(), definition: planned.definition.clone() };
        let kept = before.get(&planned.service).filter(|_| planned.action == super::Action::Keep).cloned();
        (planned.service.clone(), kept.unwrap_or(new))
    };
    let labels = plan.services.iter().map(label).collect();
    let base = overlay::base(project, release, &plan.routes);
    let overlay = overlay::complete(base, &labels, &plan.routes);
    let path = Deploys::new(project.state(), &project.environment().name).overlay(number);
    atomic::replace(&path, format!("{overlay:#}\n").as_bytes())?;
    Ok(())
}

/// Lets a test kill the process at a step: `INFRA_DEPLOY_CRASH=switch:intent`. Only in builds for development.
fn crash_point(step: Step, mark: Mark) {
    if cfg!(debug_assertions) {
        let mark = if mark == Mark::Intent { "intent" } else { "done" };
        if std::env::var("INFRA_DEPLOY_CRASH").is_ok_and(|point| point == format!("{step}:{mark}")) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}
