//! `start`

mod failure;
mod login;
mod preflight;
mod secrets;
mod shared;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::compose::Container;
use crate::compose::readiness::Baseline;
use crate::error::Result;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::Period;
use crate::operation::{Group, Operation, Outcome};
use crate::project::services::{Readiness, describe};
use crate::project::{Culprit, DatabaseAxis, Project};
use crate::report::seconds;
use crate::volumes::heal_before_start;

/// Start the stack, or some services, and wait until it is ready.
///
/// Ready means: each health check says so; a service without one has run for five seconds without being restarted; a
/// one-shot job has ended with zero. On failure, each culprit is shown with its state, its health check's output and
/// its last lines of log.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Start {
    /// Only these services, with what they depend on.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// Run this many containers of a service.
    #[cfg_attr(feature = "cli", arg(long, value_name = "SERVICE=N"))]
    pub scale: Vec<Scale>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// How many containers of a service there are to be: `SERVICE=N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// The service.
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
    pub culprits: Vec<Culprit>,
    /// Whether the time was over before everything was ready.
    pub timed_out: bool,
}

/// The state of one container.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ServiceState {
    /// The service.
    pub service: String,
    /// Its container.
    pub container: String,
    /// Its state in a few words.
    pub state: String,
}

/// The time in which a stack must be ready, unless told otherwise. Images are built or pulled before it begins.
pub(super) const PATIENCE: Duration = Duration::from_secs(5 * 60);

impl Operation for Start {
    const NAME: &'static str = "start";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = StartReport;

    fn run(&self, project: &Project) -> Result<StartReport> {
        let began = Instant::now();
        heal_before_start(project, Self::NAME)?;
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        if !project.has_services() {
            return self.without_services(project, began);
        }
        let Self { services, scale, timeout } = self;
        for scale in scale {
            scale.check(project)?;
        }
        let selected = project.select_services(services)?;
        let all = project.model()?.with_dependencies(selected.iter().map(String::as_str));
        let all: BTreeSet<String> = all.into_keys().map(str::to_owned).collect();
        let before = project.containers()?;
        preflight::require_variables(project, &all)?;
        secrets::refuse_open(project, &all)?;
        shared::refuse(project, &all)?;
        preflight::refuse_taken_ports(project, &all, &before)?;
        preflight::refuse_taken_subnets(project, &all)?;
        preflight::refuse_taken_names(project, &all)?;
        if services.is_empty() && project.database_axis() == DatabaseAxis::Local {
            project.start_local_database()?;
        }

        project.step(format_args!("starting {}", selected.iter().cloned().collect::<Vec<_>>().join(", ")));
        let patience = timeout.map_or(PATIENCE, Period::duration);
        let mut call = project.compose().call(["up", "-d"]).relay("compose").deadline(patience);
        for scale in scale {
            call = call.args(["--scale", &scale.to_string()]);
        }
        let baseline = Baseline::of(&before);
        match project.compose().change(project.runner(), &call.args(services.iter().cloned())) {
            Ok(None) => return Ok(StartReport::new(project, &[], began)),
            Ok(Some(_)) => {}
            Err(error) => return failure::explain(project, &all, &before, &baseline, error, began),
        }
        let mut seen = project.containers()?;
        // What is not healthy has volumes too.
        project.remember_volumes(&seen)?;
        let until = began + patience;
        let readiness = failure::told(project, project.wait_ready_from(&mut seen, &all, &baseline, until))?;
        let mut report = StartReport::new(project, &seen, began);
        match readiness {
            Readiness::Ready => failure::told(project, login::log_in(project, &all, &seen, until))?,
            Readiness::Failed(culprits) => report.culprits = culprits,
            Readiness::TimedOut(culprits) => (report.culprits, report.timed_out) = (culprits, true),
        }
        Ok(report)
    }
}

impl Start {
    fn without_services(&self, project: &Project, began: Instant) -> Result<StartReport> {
        for service in &self.services {
            project.known_service(service)?;
        }
        secrets::refuse_open(project, &BTreeSet::new())?;
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
                })
                .collect(),
            urls: project.urls(),
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            culprits: Vec::new(),
            timed_out: false,
        }
    }
}

impl Outcome for StartReport {
    fn exit(&self) -> Exit {
        match (self.timed_out, self.culprits.is_empty()) {
            (true, _) => Exit::Locked,
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
