//! Services by name, and waiting until they are ready.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::compose::readiness::{Baseline, Verdict};
use crate::compose::{Container, Status};
use crate::error::{Error, Result};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::manifest::Period;
use crate::suggest::nearest;

use super::Project;

/// A container that is not ready, and what there is to say about it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Culprit {
    /// Its service.
    pub service: String,
    /// Its name.
    pub container: String,
    /// What is wrong, in a few words.
    pub state: String,
    /// What its health check printed last.
    pub health: String,
    /// Its last lines of log.
    pub log: Vec<String>,
}

/// How waiting ended.
#[derive(Debug)]
pub(crate) enum Readiness {
    Ready,
    Failed(Vec<Culprit>),
    TimedOut(Vec<Culprit>),
}

/// How often the engine is asked while waiting. An `inspect` of ten containers takes about 30 ms.
const POLL: Duration = Duration::from_millis(150);
/// How long a container may take to end, at least.
const GRACE: Duration = Duration::from_secs(60);
const LOG_LINES: &str = "10";

impl Project {
    /// The services of these names; none named: those that are on in this environment. Unknown ones are an error.
    pub(crate) fn select_services(&self, named: &[String]) -> Result<BTreeSet<String>> {
        let model = self.model()?;
        if named.is_empty() {
            return Ok(model.active(&self.environment().profiles).into_keys().map(str::to_owned).collect());
        }
        for name in named {
            self.known_service(name)?;
        }
        Ok(named.iter().cloned().collect())
    }

    /// An error if there is no service of this name.
    pub(crate) fn known_service(&self, name: &str) -> Result<()> {
        if !self.has_services() {
            return Err(Error::new(
                Exit::NotFound,
                format!("there is no service `{name}`: this checkout works without containers"),
            )
            .with_hint("`cargo xtask setup --services compose` changes that"));
        }
        let model = self.model()?;
        if model.services.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = model.services.keys().map(String::as_str).collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are: {}", known.join(", ")),
        };
        Err(Error::new(Exit::NotFound, format!("there is no service `{name}`")).with_hint(hint))
    }

    /// The running container of a service: its first one.
    pub(crate) fn running(&self, service: &str) -> Result<Container> {
        let containers = if self.has_services() { self.containers()? } else { Vec::new() };
        let of_service: Vec<_> =
            containers.into_iter().filter(|container| container.service == service && !container.one_off).collect();
        // Reading the model takes twice as long as asking the engine; a container proves that there is such a service.
        if of_service.is_empty() {
            self.known_service(service)?;
        }
        if let Some(container) = of_service.iter().find(|container| container.status == Status::Running) {
            return Ok(container.clone());
        }
        let state =
            of_service.first().map_or("has no container".to_owned(), |container| format!("is {}", container.state()));
        Err(Error::new(Exit::Unavailable, format!("service `{service}` {state}"))
            .with_hint(format!("`cargo xtask start {service}` starts it")))
    }

    /// Waits until every container of these services is ready, one has failed, or the time is over.
    pub(crate) fn wait_ready(
        &self,
        services: &BTreeSet<String>,
        baseline: &Baseline,
        until: Instant,
    ) -> Result<Readiness> {
        self.wait_ready_from(&mut self.containers()?, services, baseline, until)
    }

    /// The same from containers that were just read; they become those that were seen last.
    pub(crate) fn wait_ready_from(
        &self,
        seen: &mut Vec<Container>,
        services: &BTreeSet<String>,
        baseline: &Baseline,
        until: Instant,
    ) -> Result<Readiness> {
        loop {
            let now = Timestamp::now();
            let verdicts: Vec<_> = seen
                .iter()
                .filter(|container| services.contains(&container.service) && !container.one_off)
                .map(|container| (container, baseline.judge(container, now)))
                .collect();
            let failed: Vec<_> = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_))).collect();
            if !failed.is_empty() {
                let culprits =
                    failed.into_iter().map(|(container, verdict)| self.culprit(container, verdict)).collect();
                return Ok(Readiness::Failed(culprits));
            }
            let waiting: Vec<_> = verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Ready).collect();
            if waiting.is_empty() {
                return Ok(Readiness::Ready);
            }
            if Instant::now() >= until {
                let culprits =
                    waiting.into_iter().map(|(container, verdict)| self.culprit(container, verdict)).collect();
                return Ok(Readiness::TimedOut(culprits));
            }
            let names: Vec<_> =
                waiting.iter().map(|(container, _)| format!("{} ({})", container.service, container.state())).collect();
            self.waiting(format_args!("waiting for {}", names.join(", ")));
            self.cancel().sleep(POLL)?;
            *seen = self.containers()?;
        }
    }

    /// How long the containers of these services may take to end: a minute, or what the compose files allow if that is
    /// more. Compose alone kills a database after ten seconds.
    pub(crate) fn stop_grace(&self, services: &BTreeSet<String>) -> Result<Duration> {
        let model = self.model()?;
        let declared = services.iter().filter_map(|name| {
            let period: Period = model.services.get(name)?.rest.get("stop_grace_period")?.as_str()?.parse().ok()?;
            Some(period.duration())
        });
        Ok(declared.max().unwrap_or_default().max(GRACE))
    }

    /// What there is to say about a container that is not ready.
    pub(crate) fn culprit(&self, container: &Container, verdict: &Verdict) -> Culprit {
        let state = match verdict {
            Verdict::Ready => container.state(),
            Verdict::NotYet(state) | Verdict::Failed(state) => state.clone(),
        };
        Culprit {
            service: container.service.clone(),
            container: container.name.clone(),
            state,
            health: self.runner().redactor().clean(&container.health_output),
            log: self.last_lines(&container.id),
        }
    }

    pub(crate) fn last_lines(&self, container: &str) -> Vec<String> {
        let call =
            Invocation::new("docker").args(["logs", "--tail", LOG_LINES, container]).deadline(Duration::from_secs(10));
        let mut lines = Vec::new();
        let read = self.runner().lines(&call, |_, line| {
            lines.push(line.to_owned());
            Ok(())
        });
        // Of a container that is already gone there are none; what Docker says about that is not its log.
        if read.is_ok() { lines } else { Vec::new() }
    }
}

/// The culprits as text, each with what it said.
pub(crate) fn describe(culprits: &[Culprit]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for culprit in culprits {
        let _ = writeln!(text, "{}: {}", culprit.service, culprit.state);
        if !culprit.health.is_empty() {
            let _ = writeln!(text, "  health check: {}", culprit.health.replace('\n', "\n                "));
        }
        for line in &culprit.log {
            let _ = writeln!(text, "  | {line}");
        }
    }
    text.trim_end().to_owned()
}
