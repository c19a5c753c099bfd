//! `start`

mod failure;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::compose::Container;
use crate::compose::Status;
use crate::config::Period;
use crate::deploy::recover;
use crate::exit::Exit;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::services::{Readiness, describe};
use crate::project::{DatabaseAxis, Project, UnreadyContainer};
use crate::report::{millis, seconds};
use crate::stack::launch::Launched;
use crate::stack::launch::ready::ReadyBy;
use crate::stack::start::PATIENCE;
use crate::stack::{self, Preflight};
use crate::volumes::heal_before_start;

/// Start the stack, or some services, and wait until ready.
///
/// Each service starts as soon as its dependencies are ready. Ready means that its own health check passes, that a
/// service without one has run for five seconds without a restart, and that a one-shot job has exited with 0. On
/// failure, each service at fault is shown with its state, the output of its health check and its last log lines.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Start {
    /// Only these services and their dependencies.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// Set the number of containers for a service.
    #[cfg_attr(feature = "cli", arg(long, value_name = "SERVICE=N"))]
    pub scale: Vec<Scale>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// How many containers of a service there are to be: `SERVICE=N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// The service's name in the compose files.
    pub service: String,
    /// How many; 0 stops it.
    pub count: u32,
}

impl FromStr for Scale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('=').and_then(|(service, count)| Some((service, count.parse().ok()?)));
        match parsed {
            Some((service, count)) if !service.is_empty() => Ok(Self { service: service.to_owned(), count }),
            _ => Err(format!("`{text}` is not of the form SERVICE=N, such as backend=3")),
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.service, self.count)
    }
}

/// How the start ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct StartReport {
    /// The services that were asked for, with the state of each of their containers.
    pub services: Vec<ServiceState>,
    /// Where they can be reached from this machine.
    pub urls: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What is not ready, and why.
    pub culprits: Vec<UnreadyContainer>,
    /// Whether the time was over before everything was ready.
    pub timed_out: bool,
}

/// The state of one container.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ServiceState {
    /// The service's name in the compose files.
    pub service: String,
    /// The container's name on the engine, such as `shop-web-1`.
    pub container: String,
    /// Its state in a few words.
    pub state: String,
    /// What showed that it is ready, if it is.
    pub ready_by: Option<ReadyBy>,
    /// How long after the creation of the containers it was ready, in milliseconds.
    pub ready_ms: Option<u64>,
}

impl Operation for Start {
    const NAME: &'static str = "start";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = StartReport;

    fn run(&self, project: &Project) -> Result<StartReport> {
        let began = Instant::now();
        let recovered = recover(project, Self::NAME)?;
        let project = recovered.project(project);
        heal_before_start(project, Self::NAME)?;
        if !project.has_services() {
            return self.without_services(project, began);
        }
        let Self { services, scale, timeout } = self;
        for scale in scale {
            scale.check(project)?;
        }
        let start = stack::start::Start::prepare(project, services, Self::NAME)?;
        if services.is_empty() && project.database_axis() == DatabaseAxis::Local {
            project.start_local_database()?;
        }

        project.step(format_args!("starting {}", start.selected.iter().cloned().collect::<Vec<_>>().join(", ")));
        if let Some(running) = project.release() {
            project.note(format_args!("from release {}, which is live", running.release.id));
        }
        let patience = timeout.map_or(PATIENCE, Period::duration);
        let scale = scale.iter().map(|scale| (scale.service.clone(), scale.count)).collect();
        match start.create(project, services, &scale, patience)? {
            Ok(None) => return Ok(StartReport::new(project, &[], began)),
            Ok(Some(())) => {}
            Err(error) => return failure::explain(project, &start.all, error, began),
        }
        let launched = start.launch(project, Instant::now() + patience);
        failure::after_interruption(project, launched.and_then(|launched| settle(project, &start, launched, began)))
    }
}

/// The report of a launch. A container that the engine could not start undoes it.
fn settle(project: &Project, start: &stack::start::Start, launched: Launched, began: Instant) -> Result<StartReport> {
    let mut report = StartReport::new(project, &launched.seen, began);
    for state in &mut report.services {
        let container = launched.seen.iter().find(|container| container.name == state.container);
        let ready = container.and_then(|container| launched.ready.get(&container.id));
        state.ready_by = ready.map(|(by, _)| *by);
        state.ready_ms = ready.map(|(_, after)| millis(*after));
    }
    match launched.readiness {
        Readiness::Ready => {}
        Readiness::Failed(culprits) => {
            failure::undo_if_not_started(project, start.before(), &culprits)?;
            report.culprits = culprits;
        }
        Readiness::TimedOut(culprits) => (report.culprits, report.timed_out) = (culprits, true),
    }
    Ok(report)
}

impl Start {
    fn without_services(&self, project: &Project, began: Instant) -> Result<StartReport> {
        for service in &self.services {
            project.known_service(service)?;
        }
        let _passed = Preflight::check(project, Self::NAME, |_| Ok(BTreeSet::new()))?;
        if project.database_axis() != DatabaseAxis::Url {
            project.start_local_database()?;
        }
        Ok(StartReport::new(project, &[], began))
    }
}

impl StartReport {
    fn new(project: &Project, containers: &[Container], began: Instant) -> Self {
        Self {
            services: containers
                .iter()
                .filter(|container| !container.one_off)
                .map(|container| ServiceState {
                    service: container.service.clone(),
                    container: container.name.clone(),
                    state: container.state(),
                    ready_by: None,
                    ready_ms: None,
                })
                .collect(),
            urls: project.urls(|name| containers.iter().any(|it| it.service == name && it.status == Status::Running)),
            duration_ms: millis(began.elapsed()),
            culprits: Vec::new(),
            timed_out: false,
        }
    }
}

impl Outcome for StartReport {
    fn exit(&self) -> Exit {
        match (self.timed_out, self.culprits.is_empty()) {
            (true, _) => Exit::TempFail,
            (false, false) => Exit::CheckFailed,
            (false, true) => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self.exit() {
            Exit::Ok => {
                vec!["cargo xtask health".to_owned(), "cargo xtask logs -f".to_owned(), "cargo xtask stop".to_owned()]
            }
            _ => vec!["cargo xtask logs".to_owned(), "cargo xtask doctor".to_owned()],
        }
    }
}

impl fmt::Display for StartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = seconds(Duration::from_millis(self.duration_ms));
        if self.timed_out {
            return write!(f, "not ready after {took}; what runs was left running\n{}", describe(&self.culprits));
        }
        if !self.culprits.is_empty() {
            return write!(f, "the stack is not healthy (after {took})\n{}", describe(&self.culprits));
        }
        write!(f, "ready after {took}")?;
        for url in &self.urls {
            write!(f, "\n  {url}")?;
        }
        Ok(())
    }
}
