//! Selecting services by name, and describing those that are not ready.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::compose::log::log_lines;
use crate::compose::readiness::{Baseline, Verdict};
use crate::compose::{Container, Status};
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::suggest;

use super::Project;

/// A container that is not ready, with the reason and its last output.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct UnreadyContainer {
    /// The service it belongs to.
    pub service: String,
    /// The name of the container.
    pub container: String,
    /// What is wrong, in a few words.
    pub state: String,
    /// The last output of its health check.
    pub health: String,
    /// The last lines of its log.
    pub log: Vec<String>,
}

/// The result of waiting for containers.
#[derive(Debug)]
pub(crate) enum Readiness {
    Ready,
    Failed(Vec<UnreadyContainer>),
    TimedOut(Vec<UnreadyContainer>),
}

const LOG_LINES: &str = "10";

impl Project {
    /// The services of these names, or those active in this environment if none are given. Unknown names are an
    /// error.
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

    /// Returns an error if no service has this name.
    pub(crate) fn known_service(&self, name: &str) -> Result<()> {
        if !self.has_services() {
            return Err(Error::new(
                Exit::NotFound,
                format!("unknown service `{name}`: this checkout works without containers"),
            )
            .with_hint("`cargo xtask setup --services compose` changes that"));
        }
        let model = self.model()?;
        if model.services.contains_key(name) {
            return Ok(());
        }
        let hint = suggest::hint("services", name, model.services.keys().map(String::as_str));
        Err(Error::new(Exit::NotFound, format!("unknown service `{name}`")).with_hint(hint))
    }

    /// The first running container of a service.
    pub(crate) fn running(&self, service: &str) -> Result<Container> {
        let containers = if self.has_services() { self.containers()? } else { Vec::new() };
        let of_service: Vec<_> =
            containers.into_iter().filter(|container| container.service == service && !container.one_off).collect();
        // Reading the model takes twice as long as asking the engine; an existing container shows that the service
        // exists.
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

    /// The containers of these services that have failed by now.
    pub(crate) fn failed(&self, services: &BTreeSet<String>) -> Result<Vec<UnreadyContainer>> {
        let (baseline, now) = (Baseline::default(), Timestamp::now());
        let mut containers = self.containers()?;
        containers.retain(|container| services.contains(&container.service) && !container.one_off);
        let verdicts = containers.iter().map(|container| (container, baseline.judge(container, now)));
        let failed = verdicts.filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_)));
        Ok(failed.map(|(container, verdict)| self.culprit(container, &verdict)).collect())
    }

    /// Describes a container that is not ready.
    pub(crate) fn culprit(&self, container: &Container, verdict: &Verdict) -> UnreadyContainer {
        let state = match verdict {
            Verdict::Ready => container.state(),
            Verdict::NotYet(state) | Verdict::Failed(state) => state.clone(),
        };
        UnreadyContainer {
            service: container.service.clone(),
            container: container.name.clone(),
            state,
            health: self.runner().redactor().clean(&container.health_output),
            log: self.last_lines(&container.id),
        }
    }

    /// The end of a container's log; a container that was removed has none.
    pub(crate) fn last_lines(&self, container: &str) -> Vec<String> {
        log_lines(self.runner(), container, &["--tail", LOG_LINES]).unwrap_or_default()
    }
}

/// The containers that are not ready, as text, each with its last output.
pub(crate) fn describe(culprits: &[UnreadyContainer]) -> String {
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
