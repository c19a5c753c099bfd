//! One container of a launch: how far it is, and when to ask it again.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::compose::container::{Container, Health, Status};
use crate::compose::own_check::Answer;
use crate::compose::readiness::{Baseline, Verdict};

use super::probe::{Answers, Gate, Probe};
use super::ready::ReadyBy;

/// How soon after the start a container is first asked, and the first pause after a failed check.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause between two checks in the first minute.
const SOON: Duration = Duration::from_secs(1);
/// The longest pause after the first minute.
const LATER: Duration = Duration::from_secs(5);
/// A check that passed in a younger container is repeated at this age: some programs answer and then exit.
const SETTLED: Duration = Duration::from_secs(2);
/// How often in a row the engine may refuse to run a check. After that, only its own result counts.
const REFUSALS: u32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for its dependencies.
    Created,
    Starting,
    Started,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) phase: Phase,
    /// Whether this launch starts it.
    pub(super) is_ours: bool,
    /// When it started.
    born: Instant,
    /// Why it could not be started.
    pub(super) start_error: Option<String>,
    /// What it must do besides passing its check.
    gate: Option<Gate>,
    /// Whether it does; also without a gate.
    is_gate_open: bool,
    /// When its own check passed, and whether it also passed at the age of [`SETTLED`].
    passed: Option<Instant>,
    is_confirmed: bool,
    /// Whether only the engine's result counts from now on.
    is_left_to_engine: bool,
    refusals: u32,
    was_shown: bool,
    pub(super) is_asked: bool,
    next: Instant,
    pause: Duration,
    /// What its check said last.
    said: String,
}

impl Member {
    /// A container that waits to be started, or runs already.
    pub(super) fn new(container: &Container, is_pending: bool, gate: Option<Gate>, runs_checks: bool) -> Self {
        let age = container.started.map(|started| Timestamp::now().duration_since(started)).unwrap_or_default();
        let now = Instant::now();
        Self {
            phase: if is_pending { Phase::Created } else { Phase::Started },
            is_ours: is_pending,
            born: now.checked_sub(Duration::try_from(age).unwrap_or_default()).unwrap_or(now),
            start_error: None,
            is_gate_open: gate.is_none(),
            gate,
            passed: None,
            is_confirmed: false,
            is_left_to_engine: !runs_checks,
            refusals: 0,
            was_shown: false,
            is_asked: false,
            next: now,
            pause: FIRST,
            said: String::new(),
        }
    }

    /// Records that it was started just now.
    pub(super) fn start(&mut self) {
        self.phase = Phase::Started;
        self.born = Instant::now();
        self.next = self.born + FIRST;
    }

    /// Its readiness. The engine alone can say that it has failed; its own check can only say earlier that it is ready.
    pub(super) fn judge(&self, container: &Container, baseline: &Baseline) -> Verdict {
        if self.phase != Phase::Started {
            return Verdict::NotYet(container.state());
        }
        let verdict = baseline.judge(container, Timestamp::now());
        if let (Some(error), Verdict::NotYet(_)) = (&self.start_error, &verdict) {
            return Verdict::Failed(format!("not started: {error}"));
        }
        let is_running = container.status == Status::Running;
        match (verdict, container.health) {
            (Verdict::NotYet(_), Health::Starting) if is_running => match self.passed {
                Some(_) => self.behind_gate(),
                None if self.said.is_empty() => Verdict::NotYet("starting".to_owned()),
                None => Verdict::NotYet(format!("its check {}, {} s", self.said, self.born.elapsed().as_secs())),
            },
            (Verdict::Ready, _) if is_running => self.behind_gate(),
            (verdict, _) => verdict,
        }
    }

    /// The readiness of a container that passes its check.
    fn behind_gate(&self) -> Verdict {
        if self.is_gate_open { Verdict::Ready } else { Verdict::NotYet("does not accept a login yet".to_owned()) }
    }

    /// Whether a container that is ready may also be reported as ready.
    pub(super) fn is_settled(&self, container: &Container) -> bool {
        container.status != Status::Running || container.health != Health::Starting || self.is_confirmed
    }

    /// How it became ready.
    pub(super) fn ready_by(container: &Container) -> ReadyBy {
        match (container.status, container.health) {
            (Status::Running, Health::Starting) => ReadyBy::Check,
            (Status::Running, Health::None) => ReadyBy::Up,
            (Status::Running, _) => ReadyBy::Engine,
            _ => ReadyBy::Exit,
        }
    }

    /// What to ask the container now, if anything.
    pub(super) fn due(&mut self, container: &Container) -> Option<Probe> {
        if self.is_asked || self.phase != Phase::Started || container.status != Status::Running {
            return None;
        }
        let is_starting = container.health == Health::Starting;
        let check = is_starting && container.check.is_some() && !self.is_left_to_engine && !self.is_confirmed;
        let may_pass = check || !is_starting || self.passed.is_some();
        let gate = self.gate.clone().filter(|_| may_pass && !self.is_gate_open);
        if !check && gate.is_none() || Instant::now() < self.next {
            return None;
        }
        self.is_asked = true;
        let is_shown = check && !std::mem::replace(&mut self.was_shown, true);
        Some(Probe { check, is_shown, gate })
    }

    /// Records the answers of the container. `interval` is that of its check.
    pub(super) fn record(&mut self, answers: &Answers, interval: Duration) {
        let now = Instant::now();
        self.is_asked = false;
        if !matches!(answers.check, Some(Answer::Refused)) {
            self.refusals = 0;
        }
        match &answers.check {
            Some(Answer::Passed) => {
                self.passed.get_or_insert(now);
                self.is_confirmed = now >= self.born + SETTLED;
            }
            Some(Answer::Failed(said)) => self.fail(format!("fails: {said}")),
            Some(Answer::CannotRun(said)) => self.fail(format!("cannot run: {said}")),
            Some(Answer::Refused) => {
                self.refusals += 1;
                self.is_left_to_engine |= self.refusals >= REFUSALS;
            }
            // Its process goes on in the container, so a second one is not started.
            Some(Answer::Hung) => {
                self.is_left_to_engine = true;
                "does not end".clone_into(&mut self.said);
            }
            None => {}
        }
        self.is_gate_open |= matches!(answers.gate, Some(Ok(true)));
        let longest = if self.born.elapsed() < Duration::from_secs(60) { SOON } else { LATER };
        let pause = self.pause.max(answers.took * 2).min(interval);
        self.pause = (self.pause * 3 / 2).min(longest);
        self.next =
            if self.passed.is_some() && self.is_gate_open { (self.born + SETTLED).max(now) } else { now + pause };
    }

    fn fail(&mut self, said: String) {
        self.said = said;
        self.passed = None;
        self.is_confirmed = false;
    }
}
