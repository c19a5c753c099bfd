//! `start`

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::compose::readiness::Baseline;
use crate::compose::{self, ComposeError, Container, Status};
use crate::error::{Error, Result};
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::Period;
use crate::operation::{Group, Operation, Outcome};
use crate::project::services::{Readiness, describe};
use crate::project::{Culprit, Project};
use crate::report::seconds;

/// Start the stack, or some of its services, and wait until it is ready.
///
/// Ready means: each health check says so; a service without one has run for five seconds without being restarted; a
/// one-shot job has ended with zero. On failure, each culprit is shown with its state, its health check's output and
/// its last lines of log.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Start {
    /// Only these services, with what they depend on.
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

impl Start {
    /// The time in which a stack must be ready, unless told otherwise. Images are built or pulled before it begins.
    const PATIENCE: Duration = Duration::from_secs(5 * 60);
}

impl Operation for Start {
    const NAME: &'static str = "start";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = StartReport;

    fn run(&self, project: &Project) -> Result<StartReport> {
        let began = Instant::now();
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        if !project.has_services() {
            return self.without_services(project, began);
        }
        let Self { services, scale, timeout } = self;
        for scale in scale {
            project.known_service(&scale.service)?;
        }
        let selected = project.select_services(services)?;
        require_variables(project)?;
        let before = project.containers()?;
        refuse_taken_ports(project, &selected, &before)?;

        project.step(format_args!("starting {}", selected.iter().cloned().collect::<Vec<_>>().join(", ")));
        let patience = timeout.map_or(Self::PATIENCE, Period::duration);
        let mut call = project.compose().call(["up", "-d"]).relay("compose").deadline(patience);
        for scale in scale {
            call = call.args(["--scale", &scale.to_string()]);
        }
        let baseline = Baseline::of(&before);
        match project.compose().change(project.runner(), &call.args(services.iter().cloned())) {
            Ok(None) => return Ok(StartReport::new(project, &[], began)),
            Ok(Some(_)) => {}
            Err(error) => return Self::explain(project, &selected, &before, &baseline, error, began),
        }
        let all = with_dependencies(project, &selected)?;
        let readiness = project.wait_ready(&all, &baseline, began + patience)?;
        let mut report = StartReport::new(project, &project.containers()?, began);
        match readiness {
            Readiness::Ready => project.remember_volumes()?,
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
        project.start_local_database()?;
        Ok(StartReport::new(project, &[], began))
    }

    /// Compose gave up. If a container is to blame, that is a finding; otherwise nothing of ours is left running that
    /// was not running before.
    fn explain(
        project: &Project,
        selected: &BTreeSet<String>,
        before: &[Container],
        baseline: &Baseline,
        error: ComposeError,
        began: Instant,
    ) -> Result<StartReport> {
        let interrupted = matches!(&error, ComposeError::Failed(ExecError::Cancelled { .. }));
        if interrupted || !matches!(&error, ComposeError::Failed(ExecError::Exited { .. } | ExecError::TimedOut { .. }))
        {
            return Err(error.into());
        }
        let timed_out = matches!(&error, ComposeError::Failed(ExecError::TimedOut { .. }));
        let all = with_dependencies(project, selected)?;
        let readiness = project.wait_ready(&all, baseline, Instant::now())?;
        let mut report = StartReport::new(project, &project.containers()?, began);
        report.timed_out = timed_out;
        match readiness {
            Readiness::Failed(culprits) if culprits.iter().any(|culprit| culprit.state != "not started") => {
                report.culprits = culprits
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

fn last_words(tail: &str) -> String {
    tail.lines()
        .rev()
        .find(|line| line.to_lowercase().contains("error"))
        .or(tail.lines().next_back())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Compose only warns about a variable that is not set, and goes on with an empty text.
fn require_variables(project: &Project) -> Result<()> {
    let unset = &project.model()?.unset;
    if unset.is_empty() {
        return Ok(());
    }
    Err(Error::new(Exit::Config, format!("the compose files use variables that are set nowhere: {}", unset.join(", ")))
        .with_hint(format!(
            "set them in {}, or give them a default in the compose file: ${{{}:-}}",
            project.environment().own_env_file(project.root()),
            unset[0]
        )))
}

/// A taken port is known before anything is started.
fn refuse_taken_ports(project: &Project, services: &BTreeSet<String>, before: &[Container]) -> Result<()> {
    if compose::Engine::is_remote() {
        return Ok(());
    }
    let model = project.model()?;
    for (name, service) in model.services.iter().filter(|(name, _)| services.contains(*name)) {
        if before.iter().any(|container| container.service == *name && container.status == Status::Running) {
            continue;
        }
        if let Some(taken) =
            service.ports.iter().find_map(|port| compose::taken(project.compose(), project.runner(), port))
        {
            return Err(Error::new(Exit::Failed, format!("port {} of service `{name}` is taken by {}", taken.port, taken.holder)).with_hint(
                "stop that, or choose another port in the env file; `cargo xtask setup` finds a free one by itself; nothing was started",
            ));
        }
    }
    Ok(())
}

/// These services and what Compose starts with them.
fn with_dependencies(project: &Project, selected: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let model = project.model()?;
    let mut all = BTreeSet::new();
    let mut queue: Vec<&String> = selected.iter().collect();
    while let Some(name) = queue.pop() {
        if all.insert(name.clone()) {
            queue.extend(model.services.get(name).iter().flat_map(|service| service.depends_on.keys()));
        }
    }
    Ok(all)
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
