//! Finding out why a login failed by querying the server, since a client's messages are localised.

use std::time::Duration;

use crate::exec::{ExecError, Invocation};
use crate::project::Project;

use super::literal::literal;
use super::{Database, Place, PostgresError, Way};

/// psql's exit code without a connection, or after losing it.
const NO_CONNECTION: i32 = 2;
/// The time limit of each query.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server's state according to `pg_isready`'s exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    Yes,
    /// The server is starting or shutting down.
    NotYet,
    No,
}

impl Database {
    /// Determines why psql failed.
    pub(super) fn explain(&self, project: &Project, way: Way, error: ExecError) -> PostgresError {
        match error {
            ExecError::Exited { code, ref tail, .. } if code != 3 => {
                let message = first_line(tail);
                self.cause(project, way, message).unwrap_or_else(|| PostgresError::from_exec(error))
            }
            error => PostgresError::from_exec(error),
        }
    }

    fn cause(&self, project: &Project, way: Way, message: String) -> Option<PostgresError> {
        if let Place::Service { service, .. } = &self.place
            && let Err(error) = project.database_container(service)
            && let Some(error) = error.downcast()
        {
            return Some(error);
        }
        match self.ready(project, way, None)? {
            Ready::NotYet => Some(PostgresError::Starting { message }),
            Ready::No if self.verifies_tls() && self.ready(project, way, Some("prefer")) == Some(Ready::Yes) => {
                Some(PostgresError::Unsafe { message })
            }
            // Its container runs, so the server has not opened its port yet.
            Ready::No if matches!(self.place, Place::Service { .. }) => Some(PostgresError::Starting { message }),
            Ready::No => Some(PostgresError::Unreachable { message }),
            Ready::Yes => Some(self.refusal(project, way, message)),
        }
    }

    /// Why a server that accepts connections refuses this one.
    fn refusal(&self, project: &Project, way: Way, message: String) -> PostgresError {
        let sql = format!(
            "SELECT coalesce((SELECT has_database_privilege(oid, 'CONNECT') FROM pg_database WHERE datname = {})::text, 'missing');",
            literal(&self.name)
        );
        for name in ["postgres", "template1"].into_iter().filter(|name| *name != self.name) {
            let other = Self { name: name.to_owned(), ..self.clone() };
            let Ok(call) = other.psql_by(project, way) else { continue };
            let call = call.args(["-A", "-t", "-f", "-"]).stdin(sql.clone()).deadline(PATIENCE);
            match project.runner().read(&call).map(|output| output.text()).as_deref() {
                Ok("missing") => return PostgresError::NoDatabase { message },
                // The login is right, and may use this database: the server was not ready a moment ago.
                Ok("true") => return PostgresError::Starting { message },
                Ok(_) => return PostgresError::Login { message, key: self.password_key(project) },
                Err(_) => {}
            }
        }
        PostgresError::Login { message, key: self.password_key(project) }
    }

    /// The variable that the password comes from.
    pub(crate) fn password_key(&self, project: &Project) -> Option<String> {
        let password = self.password.as_ref().filter(|password| !password.is_empty())?;
        let variables = project.variables().variables().iter();
        variables.rev().find(|it| it.value.expose() == password.expose()).map(|it| it.key.clone())
    }

    fn verifies_tls(&self) -> bool {
        matches!(&self.place, Place::Url { tls, .. } if tls.mode != "prefer")
    }

    /// The server's state, or `None` if `pg_isready` is missing or could not be run. The password is not sent:
    /// `pg_isready` logs in where it can, and TLS may not have verified the server.
    fn ready(&self, project: &Project, way: Way, tls: Option<&str>) -> Option<Ready> {
        let anonymous = Self { password: None, ..self.clone() };
        let mut call: Invocation = anonymous.tool_by(project, "pg_isready", false, way).ok()?.args(["-q", "-t", "5"]);
        call = call.env("PGPASSFILE", "/nonexistent");
        if let Some(mode) = tls {
            call = call.env("PGSSLMODE", mode).env("PGSSLROOTCERT", "/nonexistent");
        }
        match project.runner().read(&call.deadline(PATIENCE)) {
            Ok(_) => Some(Ready::Yes),
            Err(ExecError::Exited { code: 1, .. }) => Some(Ready::NotYet),
            Err(ExecError::Exited { code: NO_CONNECTION, .. }) => Some(Ready::No),
            Err(_) => None,
        }
    }
}

/// What is shown to people. The lines after the first are advice.
fn first_line(tail: &str) -> String {
    tail.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
