//! Swaps two databases, in one transaction of one session.

use std::time::Duration;

use crate::exec::{ExecError, Invocation};
use crate::postgres::{Database, Mark, PostgresError, sqlstate, write_mark};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::BackupError;
use super::occupants::{self, SEND_AWAY};
use super::property::{self, Property};
use super::scratch_db::{PATIENT, Purpose};

/// How often to terminate sessions of clients that reconnect immediately.
const ATTEMPTS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(300);
const DEADLINE: Duration = Duration::from_secs(120);

/// Renames `live` to `old` and `new` to `live`. The live database's owner, grants, settings and comment, which a
/// rename does not move, are applied to the new one. Clients are disconnected and may see an error for a moment that
/// the database does not exist; then they reach the new one.
pub(crate) fn exchange(project: &Project, from: &Database, live: &str, new: &str, old: &str) -> Result<()> {
    let properties = sql(&property::read(project, from, live)?, ":\"new\"");
    let script = format!(
        "{PATIENT}SET lock_timeout = '10s';\nBEGIN;\nCOMMENT ON DATABASE :\"new\" IS NULL;\n{properties}\
         {SEND_AWAY}\
         ALTER DATABASE :\"live\" RENAME TO :\"old\";\n\
         ALTER DATABASE :\"new\" RENAME TO :\"live\";\n\
         SELECT format('COMMENT ON DATABASE %I IS %L', :'old', concat_ws(E'\\n', shobj_description(oid, 'pg_database'), :'note'))\n\
         FROM pg_database WHERE datname = :'old' \\gexec\nCOMMIT;\n\\echo swapped\n"
    );
    run(project, from, &[("live", live), ("new", new), ("old", old), ("note", &Purpose::Old.note(live))], &script)
}

/// Applies the properties in the backup to a database before the swap. Those of the live database take precedence.
pub(crate) fn apply_properties(project: &Project, from: &Database, new: &str, properties: &[Property]) -> Result<()> {
    // Until the swap its comment marks it as unfinished.
    let own = properties.iter().filter(|property| !matches!(property, Property::Comment { .. }));
    let sql = sql(own, ":\"db\"");
    run(project, from, &[("db", new)], &format!("{PATIENT}BEGIN;\n{sql}COMMIT;\n\\echo swapped\n"))
}

/// Renames `new` to an unused name, or keeps its name, and applies the properties in the backup.
pub(crate) fn install(
    project: &Project,
    from: &Database,
    live: &str,
    new: &str,
    properties: &[Property],
) -> Result<()> {
    // From here on it is not a leftover.
    let mut script = format!("{PATIENT}BEGIN;\nCOMMENT ON DATABASE :\"db\" IS NULL;\n");
    script += &sql(properties, ":\"db\"");
    script += &write_mark(":'db'");
    if live != new {
        script += SEND_AWAY;
        script += "ALTER DATABASE :\"db\" RENAME TO :\"live\";\n";
    }
    script += "COMMIT;\n\\echo swapped\n";
    let mark = Mark::for_project(project).to_string();
    run(project, from, &[("db", new), ("new", new), ("live", live), ("mark", &mark)], &script)
}

fn sql<'p>(properties: impl IntoIterator<Item = &'p Property>, database: &str) -> String {
    properties.into_iter().map(|property| property.sql(database)).collect()
}

/// Runs to completion even after Ctrl-C: it takes a moment, and its outcome must be known.
fn run(project: &Project, from: &Database, names: &[(&str, &str)], script: &str) -> Result<()> {
    let mut call: Invocation =
        from.psql(project)?.args(["-A", "-t", "-v", "VERBOSITY=verbose", "-f", "-"]).stdin(script).deadline(DEADLINE);
    for (key, value) in names {
        call = call.args(["-v", &format!("{key}={value}")]);
    }
    let runner = project.runner().aftermath();
    let mut attempt = 1;
    loop {
        let tail = match runner.change(&call) {
            Ok(None) => return Ok(()),
            // A truncated stream commits nothing and exits with 0: only the last word confirms success.
            Ok(Some(output)) if output.text().lines().any(|line| line == "swapped") => return Ok(()),
            Ok(Some(_)) => return Err(BackupError::ConnectionLost { message: "during the swap".to_owned() }.into()),
            Err(ExecError::Exited { code: 3, tail, .. }) => tail,
            Err(error) => return Err(PostgresError::from_exec(error).into()),
        };
        let (state, message) = sqlstate::of_text(&tail).unwrap_or(("", tail.trim()));
        let message = message.to_owned();
        if ![sqlstate::OBJECT_IN_USE, sqlstate::LOCK_NOT_AVAILABLE].contains(&state) {
            return Err(BackupError::Restore { message }.into());
        }
        if attempt == ATTEMPTS {
            let name = |key: &str| names.iter().find(|(known, _)| *known == key).map_or("", |(_, name)| *name);
            let used_by = occupants::list(project, from, [name("live"), name("new")]);
            return Err(BackupError::Busy { doing: "swapped", message, used_by }.into());
        }
        project.waiting("clients reconnect immediately; disconnecting them again");
        project.cancel().sleep(BETWEEN * attempt).map_err(Error::from)?;
        attempt += 1;
    }
}
