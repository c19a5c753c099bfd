//! Asking a starting container whether it is ready.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::compose::container::Container;
use crate::compose::own_check::Answer;
use crate::exec::Runner;
use crate::exec::error::ExecError;
use crate::exec::invocation::Invocation;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::Error;

/// What a database must do besides passing its own check, which the temporary server of its image passes too: while
/// init scripts run, that server accepts local connections.
#[derive(Debug, Clone)]
pub(super) enum Gate {
    /// It accepts the project's login.
    Login(Arc<Database>),
    /// PostgreSQL accepts connections over TCP, or its image's entry script has ended.
    Postgres,
    /// The entry script of its image has ended.
    EntryScript,
}

/// What to ask a container.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    /// Whether to run its own check.
    pub(super) check: bool,
    /// Whether the command of its check is echoed.
    pub(super) is_shown: bool,
    pub(super) gate: Option<Gate>,
}

/// The container's answers.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) check: Option<Answer>,
    /// Whether the gate is open; an error if it never will be.
    pub(super) gate: Option<Result<bool, Error>>,
    pub(super) took: Duration,
}

/// The time limit for a question to the engine.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the official images of databases call the script that initialises them and then becomes the server.
const ENTRY_SCRIPT: &str = "docker-entrypoint.sh";
/// The port is the server's own setting in its container.
const ACCEPTS: &str = r#"exec pg_isready -q -h 127.0.0.1 -p "${PGPORT:-5432}""#;

impl Probe {
    pub(super) fn run(&self, project: &Project, runner: &Runner, container: &Container) -> Result<Answers, ExecError> {
        let began = Instant::now();
        let check = match &container.check {
            Some(check) if self.check => Some(check.run(runner, &container.id, self.is_shown)?),
            _ => None,
        };
        let passed = check.as_ref().is_none_or(|answer| *answer == Answer::Passed);
        let gate = self.gate.as_ref().filter(|_| passed).map(|gate| gate.is_open(project, runner, container));
        Ok(Answers { check, gate, took: began.elapsed() })
    }
}

impl Gate {
    fn is_open(&self, project: &Project, runner: &Runner, container: &Container) -> Result<bool, Error> {
        match self {
            Self::Login(database) => match database.login_among(project, std::slice::from_ref(container)) {
                Ok(_) => Ok(true),
                Err(error) if is_starting(&error) => Ok(false),
                Err(error) => Err(error),
            },
            Self::Postgres => {
                let call = Invocation::new("docker").args(["exec", &container.id, "sh", "-c", ACCEPTS]);
                let accepts = runner.read(&call.unechoed().deadline(PATIENCE)).is_ok();
                Ok(accepts || entry_script_has_ended(runner, container))
            }
            Self::EntryScript => Ok(entry_script_has_ended(runner, container)),
        }
    }
}

/// Whether the server may accept a login a little later.
fn is_starting(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(PostgresError::Unreachable { .. } | PostgresError::Starting { .. }))
}

fn entry_script_has_ended(runner: &Runner, container: &Container) -> bool {
    let call = Invocation::new("docker").args(["top", &container.id, "-o", "pid,args"]);
    let listed = runner.read(&call.unechoed().deadline(PATIENCE));
    listed.is_ok_and(|output| !output.text().contains(ENTRY_SCRIPT))
}
