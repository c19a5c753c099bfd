//! The databases beside the live one that are there: what crashes left, and what served before restores.

use serde::Deserialize;

use crate::error::Result;
use crate::exec::ExecError;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

use super::beside::{DIGITS, Purpose, drop_database};

/// A database beside the live one.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// How many sessions are in it.
    sessions: u64,
}

/// By its comment; or by its name, where a crash came between its making and its comment.
const LIST: &str = "SELECT json_build_object('name', datname, 'bytes', pg_database_size(d.oid), 'sessions',
  (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND backend_type IS DISTINCT FROM 'autovacuum worker'))
FROM pg_database d LEFT JOIN LATERAL shobj_description(d.oid, 'pg_database') AS comment ON true
WHERE datname <> :'live' AND (strpos(comment, :'note') > 0
   OR comment IS NULL AND starts_with(datname, :'prefix') AND substr(datname, length(:'prefix') + 1) ~ ('^[0-9a-f]{' || :digits || '}$'))
ORDER BY d.oid DESC;";

/// Those of this purpose; the newest first.
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

/// Drops what interrupted restores and trials have left, and says so. Only whoever holds the database's lock alone may.
pub(crate) fn heal(project: &Project, from: &Database, live: &Database) -> Result<()> {
    for purpose in [Purpose::New, Purpose::Drill] {
        for left in list(project, from, &live.name, purpose)? {
            // That lock is one of this machine: where others use the same server, what is in use may be theirs.
            if left.sessions > 0 && live.is_elsewhere() {
                project.note(format_args!("{} is in use, so another restore may be at work; it stays", left.name));
                continue;
            }
            project.note(format_args!("dropping {}, which an interrupted restore had left", left.name));
            drop_database(project, from, &left.name)?;
        }
    }
    Ok(())
}
