//! Scratch databases on the server: leftovers of crashes, and previous databases from before restores.

use serde::Deserialize;

use crate::exec::ExecError;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::Result;

use super::restricted_role::{DROP_ROLE, UNUSED};
use super::scratch_db::{self, DIGITS, Purpose};
use super::unfinished::Unfinished;

/// A scratch database on the server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// The number of sessions in it.
    sessions: u64,
}

/// Found by comment, or by name if a crash came between its creation and its comment.
const LIST: &str = "SELECT json_build_object('name', datname, 'bytes', pg_database_size(d.oid), 'sessions',
  (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND backend_type IS DISTINCT FROM 'autovacuum worker'))
FROM pg_database d LEFT JOIN LATERAL shobj_description(d.oid, 'pg_database') AS comment ON true
WHERE datname <> :'live' AND (strpos(comment, :'note') > 0
   OR comment IS NULL AND starts_with(datname, :'prefix') AND substr(datname, length(:'prefix') + 1) ~ ('^[0-9a-f]{' || :digits || '}$'))
ORDER BY d.oid DESC;";

/// The scratch databases with this purpose, newest first.
pub(crate) fn list(project: &Project, from: &Database, live: &str, purpose: Purpose) -> Result<Vec<Beside>> {
    let mut call = from.psql(project)?.args(["-A", "-t", "-f", "-"]);
    let (note, prefix, digits) = (purpose.note(live), purpose.prefix(live), DIGITS.to_string());
    for (key, value) in [("live", live), ("note", &note), ("prefix", &prefix), ("digits", &digits)] {
        call = call.args(["-v", &format!("{key}={value}")]);
    }
    let text = project.runner().read(&call.stdin(LIST)).map_err(PostgresError::from_exec)?.text();
    let parsed: Result<Vec<Beside>, _> = text.lines().map(serde_json::from_str).collect();
    parsed.map_err(|error| ExecError::BadOutput { command: "psql".to_owned(), reason: error.to_string() }.into())
}

/// The maintenance database, and the previous databases of `live`, newest first. Recovers from interrupted restores
/// first. The caller must hold the database's exclusive lock.
pub(crate) fn previous(project: &Project, live: &Database) -> Result<(Database, Vec<Beside>)> {
    let from = scratch_db::maintenance(project, live)?;
    recover(project, &from, live)?;
    let previous = list(project, &from, &live.name, Purpose::Old)?;
    Ok((from, previous))
}

/// Drops what interrupted restores and drills left, and reports it. The caller must hold the database's exclusive
/// lock.
pub(crate) fn recover(project: &Project, from: &Database, live: &Database) -> Result<()> {
    for purpose in [Purpose::New, Purpose::Drill] {
        for left in list(project, from, &live.name, purpose)? {
            // The lock covers only this machine: on a shared server, a database in use may belong to another machine.
            if left.sessions > 0 && live.is_elsewhere() {
                project.note(format_args!("{} is in use, perhaps by another restore, and is kept", left.name));
                continue;
            }
            project.note(format_args!("dropping {}, left behind by an interrupted restore", left.name));
            Unfinished::new(project, from, &left.name)?.remove(project)?;
        }
    }
    drop_roles(project, from, &live.name)
}

/// Drops the roles of received backups whose databases no longer exist.
fn drop_roles(project: &Project, from: &Database, live: &str) -> Result<()> {
    let mut call = from.psql(project)?.args(["-A", "-t", "-f", "-", "-v", &format!("digits={DIGITS}")]);
    for (key, purpose) in [("new", Purpose::New), ("owner", Purpose::Owner)] {
        call = call.args(["-v", &format!("{key}={}", purpose.prefix(live))]);
    }
    let text = project.runner().read(&call.stdin(UNUSED)).map_err(PostgresError::from_exec)?.text();
    for role in text.lines() {
        let call = from.psql(project)?.args(["-o", "/dev/null", "-f", "-", "-v", &format!("role={role}")]);
        if let Err(error) = Database::execute(project, &call.stdin(DROP_ROLE)) {
            project.warn(format_args!("the role {role} of a received backup is left over: {error}"));
        }
    }
    Ok(())
}
