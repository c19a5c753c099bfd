//! Drops scratch databases.

use std::time::Duration;

use crate::exec::{ExecError, Invocation, Runner};
use crate::postgres::{Database, PostgresError, sqlstate};
use crate::project::Project;
use crate::project::error::Result;

use super::restricted_role::DROP_ROLE;
use super::scratch_db::PATIENT;
use super::{BackupError, occupants};

/// How long each step may take.
const DEADLINE: Duration = Duration::from_secs(600);
/// How long each step may take after a failure or a cancellation.
const AFTERWARDS: Duration = Duration::from_secs(60);
/// `WITH (FORCE)` terminates the sessions in it.
const DROP: &str = r#"SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname)
FROM pg_database WHERE datname = :'name' AND datistemplate \gexec
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
"#;
/// Drops the subscriptions in the current database, with which it cannot be dropped. Their slots on the publishers
/// stay: the subscriptions of the live database have the same.
const DETACH: &str = r"SELECT format('ALTER SUBSCRIPTION %I DISABLE', subname),
  format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname), format('DROP SUBSCRIPTION %I', subname)
FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \gexec
";

/// A database to be dropped. It holds the calls that do so, prepared before anything can be interrupted.
pub(crate) struct Unfinished {
    name: String,
    from: Database,
    drop: Invocation,
    detach: Invocation,
}

impl Unfinished {
    /// `from` is the maintenance database.
    pub(crate) fn new(project: &Project, from: &Database, name: &str) -> Result<Self> {
        let target = Database { name: name.to_owned(), ..from.clone() };
        let script = |call: Invocation, sql: &str| {
            call.args(["-o", "/dev/null", "-v", "VERBOSITY=verbose", "-f", "-"]).stdin(format!("{PATIENT}{sql}"))
        };
        let drop = script(from.psql(project)?, DROP).args(["-v", &format!("name={name}")]);
        let detach = script(target.psql(project)?, DETACH);
        Ok(Self { name: name.to_owned(), from: from.clone(), drop, detach })
    }

    /// Like `new`, and also drops the role that fills it.
    pub(crate) fn with_role(project: &Project, from: &Database, name: &str, role: &str) -> Result<Self> {
        let unfinished = Self::new(project, from, name)?;
        let drop = unfinished.drop.args(["-v", &format!("role={role}")]);
        Ok(Self { drop: drop.stdin(format!("{PATIENT}{DROP}{DROP_ROLE}")), ..unfinished })
    }

    /// Drops it, and terminates the sessions in it.
    pub(crate) fn remove(&self, project: &Project) -> Result<()> {
        self.remove_within(project, project.runner(), DEADLINE)
    }

    /// Drops it after a failure or a cancellation, which is the error to report. What remains is reported as a warning,
    /// and dropped by the next run.
    pub(crate) fn abandon(&self, project: &Project) {
        if let Err(error) = self.remove_within(project, &project.runner().aftermath(), AFTERWARDS) {
            project.warn(format_args!("{} is left over: {error}", self.name));
        }
    }

    fn remove_within(&self, project: &Project, runner: &Runner, limit: Duration) -> Result<()> {
        let run = |call: &Invocation| runner.change(&call.clone().deadline(limit)).map(drop);
        let is_used = |error: &ExecError| {
            sqlstate::of_text(error.tail()).is_some_and(|(state, _)| state == sqlstate::OBJECT_IN_USE)
        };
        let dropped = match run(&self.drop) {
            Err(error) if is_used(&error) => run(&self.detach).and_then(|()| run(&self.drop)),
            dropped => dropped,
        };
        let Err(error) = dropped else { return Ok(()) };
        let Some((state, message)) = sqlstate::of_text(error.tail()) else {
            return Err(PostgresError::from_exec(error).into());
        };
        let used_by = occupants::list(project, &self.from, [&self.name; 2]);
        // The second, if one of the sessions may not be terminated.
        let is_busy =
            state == sqlstate::OBJECT_IN_USE || (state == sqlstate::INSUFFICIENT_PRIVILEGE && !used_by.is_empty());
        if is_busy {
            return Err(BackupError::Busy { doing: "dropped", message: message.to_owned(), used_by }.into());
        }
        Err(PostgresError::from_exec(error).into())
    }
}
