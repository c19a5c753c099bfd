//! Starting created containers, each as soon as its dependencies are ready, and waiting until all are.
//!
//! Compose waits for the engine's next check at each dependency: with an interval of 30 s, that is half a minute for
//! each level of a stack that could be ready in seconds. Here, the container's own check is run as soon and as often as
//! needed. Only the engine can say that a container has failed; the check can only say earlier that it is ready.

pub(super) mod begin;
mod gates;
mod member;
mod missing_checks;
mod order;
mod probe;
pub(crate) mod ready;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::compose::container::{Container, Status};
use crate::compose::error::ComposeError;
use crate::compose::model::Model;
use crate::compose::readiness::{Baseline, Verdict};
use crate::config::StartChecks;
use crate::exec::error::ExecError;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::services::Readiness;

use super::preflight::Preflight;
use gates::Gates;
use member::{Member, Phase};
use order::{Standing, Standings, is_optional, may_start};
use probe::Answers;
use ready::ReadyBy;

/// How often to read the state of the containers. Inspecting ten takes about 30 ms.
const POLL: Duration = Duration::from_millis(150);
/// How many containers are started at the same time.
const STARTS: usize = 4;

/// The containers of some services, to be started in order.
pub(crate) struct Launch<'p> {
    project: &'p Project,
    model: &'p Model,
    passed: &'p Preflight,
    /// The services whose readiness is waited for.
    awaited: BTreeSet<String>,
    /// The containers, as of just now.
    seen: Vec<Container>,
    members: BTreeMap<String, Member>,
    baseline: Baseline,
    /// Cancels the probes that are running at the end.
    stop: CancelToken,
    began: Instant,
    ready: BTreeMap<String, (ReadyBy, Duration)>,
    warned: BTreeSet<String>,
}

/// The result of a launch.
pub(crate) struct Launched {
    pub(crate) readiness: Readiness,
    pub(crate) seen: Vec<Container>,
    /// By what each container became ready, and how long after the beginning, by its id.
    pub(crate) ready: BTreeMap<String, (ReadyBy, Duration)>,
}

/// Starts those containers of these services that `is_meant` holds for and that do not run, in order, and waits until
/// all of them are ready.
pub(crate) fn launch_some(
    project: &Project,
    services: &BTreeSet<String>,
    is_meant: impl Fn(&Container) -> bool,
    until: Instant,
    passed: &Preflight,
) -> Result<Readiness> {
    if services.is_empty() {
        return Ok(Readiness::Ready);
    }
    let is_pending = |container: &Container| container.status.is_down() && is_meant(container);
    let launch = Launch::new(project, services, Baseline::default(), is_pending, passed)?.only(&is_meant);
    Ok(launch.run(until)?.readiness)
}

/// The readiness of each container by id.
type Verdicts = BTreeMap<String, Verdict>;

enum Event {
    Started { ids: Vec<String>, result: Result<(), ComposeError> },
    Answered { id: String, answers: Result<Answers, ExecError> },
}

impl<'p> Launch<'p> {
    /// Prepares the containers of these services. Those for which `is_pending` holds are started in the order of their
    /// dependencies; the others count as started. `baseline` has the restarts that do not count.
    ///
    /// # Errors
    ///
    /// If a service waits for the health of another one that has no health check.
    pub(super) fn new(
        project: &'p Project,
        services: &BTreeSet<String>,
        baseline: Baseline,
        is_pending: impl Fn(&Container) -> bool,
        passed: &'p Preflight,
    ) -> Result<Self> {
        let model = project.model()?;
        let seen = project.containers()?;
        project.remember_volumes(&seen)?;
        let runs_checks = project.config().start.checks == StartChecks::Own;
        let gates = Gates::new(project, services)?;
        let own = seen.iter().filter(|container| services.contains(&container.service) && !container.one_off);
        let own: Vec<&Container> = own.collect();
        missing_checks::refuse(model, &own)?;
        let members = own.into_iter().map(|container| {
            let is_pending = is_pending(container);
            let gate = gates.for_container(container, is_pending);
            (container.id.clone(), Member::new(container, is_pending, gate, runs_checks))
        });
        Ok(Self {
            members: members.collect(),
            project,
            model,
            passed,
            awaited: services.clone(),
            seen,
            baseline,
            stop: CancelToken::new(),
            began: Instant::now(),
            ready: BTreeMap::new(),
            warned: BTreeSet::new(),
        })
    }

    /// Only with those containers for which this holds. The others count as if they did not exist.
    fn only(mut self, is_meant: impl Fn(&Container) -> bool) -> Self {
        let ids: BTreeSet<&str> = self.seen.iter().filter(|it| is_meant(it)).map(|it| it.id.as_str()).collect();
        self.members.retain(|id, _| ids.contains(id.as_str()));
        self
    }

    /// Waits only until these services are ready.
    pub(super) fn awaiting(self, awaited: BTreeSet<String>) -> Self {
        Self { awaited, ..self }
    }

    /// Starts them and waits until they are ready, one has failed, or the time is up.
    pub(super) fn run(mut self, until: Instant) -> Result<Launched> {
        let (sender, events) = mpsc::channel();
        let readiness = thread::scope(|scope| {
            let ended = self.drive(scope, &sender, &events, until);
            // Twice: without the time that a child otherwise gets to end.
            self.stop.cancel(15);
            self.stop.cancel(15);
            ended
        })?;
        Ok(Launched { readiness, seen: self.seen, ready: self.ready })
    }

    fn drive<'s>(
        &mut self,
        scope: &'s Scope<'s, '_>,
        sender: &Sender<Event>,
        events: &Receiver<Event>,
        until: Instant,
    ) -> Result<Readiness>
    where
        'p: 's,
    {
        loop {
            let verdicts = self.judge();
            let standings = self.standings(&verdicts);
            if let Some(readiness) = self.ended(&verdicts, &standings, until) {
                return Ok(readiness);
            }
            self.say_what_is_awaited(&verdicts);
            self.warn_of_optional(&standings);
            self.start_due(scope, sender, &standings);
            self.probe_due(scope, sender);
            if let Ok(event) = events.recv_timeout(POLL) {
                self.take(event)?;
            }
            while let Ok(event) = events.try_recv() {
                self.take(event)?;
            }
            self.seen = self.project.containers()?;
        }
    }

    /// The result, if nothing remains to be waited for.
    fn ended(&self, verdicts: &Verdicts, standings: &Standings, until: Instant) -> Option<Readiness> {
        let describe = |found: Vec<(&Container, &Verdict)>| {
            found.into_iter().map(|(container, verdict)| self.project.culprit(container, verdict)).collect()
        };
        let with_verdicts = self.seen.iter().filter_map(|it| Some((it, verdicts.get(&it.id)?)));
        let failed: Vec<_> = with_verdicts
            .filter(|(container, verdict)| {
                matches!(verdict, Verdict::Failed(_))
                    && self.is_concerned(container)
                    && !is_optional(self.model, &container.service, standings)
            })
            .collect();
        if !failed.is_empty() {
            return Some(Readiness::Failed(describe(failed)));
        }
        let waiting: Vec<_> = self.waited_for(verdicts).collect();
        if waiting.is_empty() && self.seen.iter().all(|container| self.is_settled(container, verdicts)) {
            return Some(Readiness::Ready);
        }
        if Instant::now() < until {
            return None;
        }
        // Those that were never started are not the reason.
        let (started, created): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(container, _)| container.status != Status::Created);
        Some(Readiness::TimedOut(describe(if started.is_empty() { created } else { started })))
    }

    fn say_what_is_awaited(&self, verdicts: &Verdicts) {
        let reasons = self.waited_for(verdicts).filter_map(|(container, verdict)| match verdict {
            Verdict::NotYet(why) => Some(format!("{} ({why})", container.service)),
            _ => None,
        });
        let reasons: Vec<String> = reasons.collect();
        if !reasons.is_empty() {
            self.project.waiting(format_args!("waiting for {}", reasons.join(", ")));
        }
    }

    /// The containers that are waited for: until they are ready, or only until they were started.
    fn waited_for<'l>(&'l self, verdicts: &'l Verdicts) -> impl Iterator<Item = (&'l Container, &'l Verdict)> {
        let with_verdicts = self.seen.iter().filter_map(|it| Some((it, verdicts.get(&it.id)?)));
        with_verdicts.filter(|(container, verdict)| {
            let is_started = || self.members.get(&container.id).is_none_or(|member| member.phase == Phase::Started);
            matches!(verdict, Verdict::NotYet(_)) && (self.awaited.contains(&container.service) || !is_started())
        })
    }

    /// Whether a container that is ready may be reported as ready.
    fn is_settled(&self, container: &Container, verdicts: &Verdicts) -> bool {
        !self.awaited.contains(&container.service)
            || verdicts.get(&container.id) != Some(&Verdict::Ready)
            || self.members.get(&container.id).is_none_or(|member| member.is_settled(container))
    }

    /// Whether the failure of a container is one of this launch.
    fn is_concerned(&self, container: &Container) -> bool {
        self.awaited.contains(&container.service)
            || self.members.get(&container.id).is_some_and(|member| member.is_ours)
    }

    /// The readiness of each container by id. Records those that became ready.
    fn judge(&mut self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for container in &self.seen {
            let Some(member) = self.members.get(&container.id) else { continue };
            let verdict = member.judge(container, &self.baseline);
            if verdict == Verdict::Ready {
                self.ready
                    .entry(container.id.clone())
                    .or_insert_with(|| (Member::ready_by(container), self.began.elapsed()));
            }
            verdicts.insert(container.id.clone(), verdict);
        }
        verdicts
    }

    fn standings(&self, verdicts: &Verdicts) -> Standings {
        let mut standings = Standings::new();
        for container in &self.seen {
            let (Some(member), Some(verdict)) = (self.members.get(&container.id), verdicts.get(&container.id)) else {
                continue;
            };
            let is_ready = *verdict == Verdict::Ready;
            let own = Standing {
                started: member.phase == Phase::Started,
                ready: is_ready,
                completed: is_ready && container.status == Status::Exited,
                failed: matches!(verdict, Verdict::Failed(_)),
            };
            standings
                .entry(container.service.clone())
                .and_modify(|all| {
                    all.started &= own.started;
                    all.ready &= own.ready;
                    all.completed &= own.completed;
                    all.failed |= own.failed;
                })
                .or_insert(own);
        }
        standings
    }

    /// Starts the services whose dependencies are met.
    fn start_due<'s>(&mut self, scope: &'s Scope<'s, '_>, sender: &Sender<Event>, standings: &Standings)
    where
        'p: 's,
    {
        let mut due: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for container in &self.seen {
            let is_due = self.members.get(&container.id).is_some_and(|member| member.phase == Phase::Created)
                && self.model.services.get(&container.service).is_none_or(|service| may_start(service, standings));
            if is_due {
                due.entry(&container.service).or_default().push(container.id.clone());
            }
        }
        let starting = self.members.values().filter(|member| member.phase == Phase::Starting).count();
        for (service, all) in due.into_iter().take(STARTS.saturating_sub(starting)) {
            let count = super::replicas::count(&self.seen, service);
            for id in &all {
                if let Some(member) = self.members.get_mut(id) {
                    member.phase = Phase::Starting;
                }
            }
            let (project, model, passed) = (self.project, self.model, self.passed);
            let (sender, service) = (sender.clone(), service.to_owned());
            scope.spawn(move || {
                let result = begin::start(project, model, &service, &all, count, passed);
                let _ = sender.send(Event::Started { ids: all, result });
            });
        }
    }

    /// Asks the containers that may be ready by now.
    fn probe_due<'s>(&mut self, scope: &'s Scope<'s, '_>, sender: &Sender<Event>)
    where
        'p: 's,
    {
        let most = thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8));
        for container in &self.seen {
            if self.members.values().filter(|member| member.is_asked).count() >= most {
                return;
            }
            let Some(probe) = self.members.get_mut(&container.id).and_then(|member| member.due(container)) else {
                continue;
            };
            let (project, sender, container) = (self.project, sender.clone(), container.clone());
            let runner = project.runner().cancelled_by(self.stop.clone());
            scope.spawn(move || {
                let answers = probe.run(project, &runner, &container);
                let _ = sender.send(Event::Answered { id: container.id, answers });
            });
        }
    }

    fn take(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Started { ids, result } => {
                let error = match result {
                    Ok(()) => None,
                    Err(ComposeError::Failed(ExecError::Exited { tail, .. })) => Some(tail),
                    Err(error) => return Err(error.into()),
                };
                for id in &ids {
                    if let Some(member) = self.members.get_mut(id) {
                        member.start();
                        member.start_error.clone_from(&error);
                    }
                }
            }
            Event::Answered { id, answers } => {
                let mut answers = answers.map_err(|error| self.project.compose().explain(error))?;
                let interval = self.seen.iter().find(|container| container.id == id);
                let interval = interval.and_then(|container| container.check.as_ref()).map(|check| check.interval);
                if let Some(member) = self.members.get_mut(&id) {
                    member.record(&answers, interval.unwrap_or(POLL));
                }
                if let Some(Err(error)) = answers.gate.take() {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn warn_of_optional(&mut self, standings: &Standings) {
        for (name, standing) in standings.iter().filter(|(_, standing)| standing.failed) {
            if self.warned.insert(name.clone()) && is_optional(self.model, name, standings) {
                let started = if standing.started { "is not ready" } else { "did not start" };
                self.project
                    .warn(format_args!("the optional dependency `{name}` {started}; what uses it starts anyway"));
            }
        }
    }
}
