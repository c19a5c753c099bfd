//! What a deploy is about to do, and how it ended.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::consent::Destruction;
use crate::deploy::{Action, Ended, Plan, Planned};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::Outcome;
use crate::release::{self, Release};
use crate::report::{millis, seconds};

/// What came of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeployOutcome {
    /// A dry run: nothing was done.
    Planned,
    /// The release was live already.
    NothingToDo,
    /// The release is live now.
    Live,
    /// It failed, and what ran before runs again.
    Reverted,
    /// It failed, and what ran before is not healthy either.
    Partial,
}

/// The result of `deploy` and `rollback`.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DeployReport {
    /// The release; `None` in a dry run that would have made one.
    pub release: Option<String>,
    /// The name of the environment it was deployed in.
    pub environment: Option<String>,
    /// The number of the deploy; `None` if nothing was done.
    pub deploy: Option<u64>,
    /// What came of it.
    pub outcome: DeployOutcome,
    /// What was done with each service.
    pub services: Vec<Planned>,
    /// Why the release is not live.
    pub cause: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    #[serde(skip)]
    exit: Exit,
}

impl DeployReport {
    pub(super) fn dry() -> Self {
        Self {
            release: None,
            environment: None,
            deploy: None,
            outcome: DeployOutcome::Planned,
            services: Vec::new(),
            cause: None,
            duration_ms: 0,
            exit: Exit::Ok,
        }
    }

    pub(super) fn planned(release: &Release, plan: &Plan) -> Self {
        let (id, environment) = (Some(release.id.clone()), Some(release.environment.clone()));
        Self { release: id, environment, services: plan.services.clone(), ..Self::dry() }
    }

    pub(super) fn nothing_to_do(release: &Release, plan: &Plan) -> Self {
        Self { outcome: DeployOutcome::NothingToDo, ..Self::planned(release, plan) }
    }

    pub(super) fn ended(release: &Release, services: Vec<Planned>, ended: Ended) -> Self {
        let (outcome, exit) = match (ended.outcome, ended.cause.as_ref().map(Error::exit)) {
            (release::Outcome::Live, _) => (DeployOutcome::Live, Exit::Ok),
            (release::Outcome::Partial, _) => (DeployOutcome::Partial, Exit::Partial),
            (
                _,
                Some(exit @ (Exit::NotFound | Exit::Unavailable | Exit::CannotCreate | Exit::Refused | Exit::Config)),
            ) => (DeployOutcome::Reverted, exit),
            _ => (DeployOutcome::Reverted, Exit::Failed),
        };
        Self {
            release: Some(release.id.clone()),
            environment: Some(release.environment.clone()),
            deploy: Some(ended.number),
            outcome,
            services,
            cause: ended.cause.map(|error| match error.hint() {
                Some(hint) => format!("{error}\nhint: {hint}"),
                None => error.to_string(),
            }),
            duration_ms: millis(ended.took),
            exit,
        }
    }

    fn command(&self, words: &str) -> String {
        match &self.environment {
            Some(environment) => format!("cargo xtask -e {environment} {words}"),
            None => format!("cargo xtask {words}"),
        }
    }
}

/// Asks for the project's name in a protected environment, after showing what will happen.
pub(super) fn consent(project: &Project, release: &Release, plan: &Plan, is_rollback: bool) -> Result<()> {
    let environment = project.environment();
    for line in lines(&plan.services) {
        project.note(line);
    }
    if !environment.protected {
        return Ok(());
    }
    project.consent(&Destruction {
        operation: if is_rollback { "rollback" } else { "deploy" },
        project: project.name().to_owned(),
        environment: environment.name.clone(),
        protected: true,
        ambiguous: false,
        additive: false,
        items: std::iter::once(format!("release {}", release.id)).chain(lines(&plan.services)).collect(),
        last_backup: None,
    })
}

/// `backend: starts beside the old one, no gap`
fn lines(services: &[Planned]) -> Vec<String> {
    let changed = services.iter().filter(|planned| planned.action != Action::Keep);
    let words = |planned: &Planned| match planned.action {
        Action::Switch => "starts beside what runs, without a gap",
        Action::Replace if planned.containers == 0 => "is created",
        _ => "is replaced in place, with a gap until it is ready",
    };
    changed.map(|planned| format!("{} {}", planned.service, words(planned))).collect()
}

impl Outcome for DeployReport {
    fn exit(&self) -> Exit {
        self.exit
    }

    fn next(&self) -> Vec<String> {
        match self.outcome {
            DeployOutcome::Live => vec![self.command("health"), self.command("rollback")],
            DeployOutcome::Partial => vec![self.command("logs"), self.command("health"), self.command("releases")],
            DeployOutcome::Reverted => vec![self.command("logs"), self.command("releases")],
            DeployOutcome::Planned | DeployOutcome::NothingToDo => Vec::new(),
        }
    }
}

impl fmt::Display for DeployReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let release = self.release.as_deref().unwrap_or("a new release");
        let took = seconds(Duration::from_millis(self.duration_ms));
        let state = match self.outcome {
            DeployOutcome::NothingToDo => return write!(f, "nothing to do: {release} is live"),
            DeployOutcome::Planned => {
                return write!(f, "would deploy {release}\n{}", lines(&self.services).join("\n"));
            }
            DeployOutcome::Live => {
                let number = self.deploy.unwrap_or_default();
                return write!(f, "{release} is live after {took} (deploy {number})");
            }
            DeployOutcome::Reverted => "what ran before runs again",
            DeployOutcome::Partial => {
                "what ran before is not healthy either: run `cargo xtask health`, then `cargo xtask rollback` or \
                 `cargo xtask deploy` with a release that is"
            }
        };
        let cause = self.cause.as_deref().unwrap_or("it failed");
        write!(f, "{release} is not live (after {took}); {state}\n{cause}")
    }
}
