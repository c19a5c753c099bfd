//! Exchanging two databases, in one transaction of one session.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation};
use crate::postgres::{Database, Mark, PostgresError, write_mark};
use crate::project::Project;

use super::BackupError;
use super::beside::{PATIENT, Purpose};
use super::facts::properties;

/// How often clients that come back at once are sent away again.
const ATTEMPTS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(300);
const DEADLINE: Duration = Duration::from_secs(120);

/// Whoever is in these databases is sent away. Autovacuum goes by itself, and not every role may end it.
const SEND_AWAY: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname IN (:'live', :'new') AND pid <> pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker' \\g /dev/null\n";

/// Lets `new` take the place of `live`, which is called `old` from then on. Owner, grants, settings and comment are those
/// of the live database: a rename leaves them behind. Clients are sent away, and see for a moment that there is no such
/// database; then they reach the new one.
pub(crate) fn exchange(project: &Project, from: &Database, live: &str, new: &str, old: &str) -> Result<()> {
    let properties = properties("quote_ident(:'new')", "(SELECT oid FROM pg_database WHERE datname = :'live')");
    let script = format!(
        "{PATIENT}SET lock_timeout = '10s';\nBEGIN;\nCOMMENT ON DATABASE :\"new\" IS NULL;\n{properties} \\gexec\n\
         {SEND_AWAY}\
         ALTER DATABASE :\"live\" RENAME TO :\"old\";\n\
         ALTER DATABASE :\"new\" RENAME TO :\"live\";\n\
         SELECT format('COMMENT ON DATABASE %I IS %L', :'old', concat_ws(E'\\n', shobj_description(oid, 'pg_database'), :'note'))\n\
         FROM pg_database WHERE datname = :'old' \\gexec\nCOMMIT;\n\\echo exchanged\n"
    );
    run(project, from, &[("live", live), ("new", new), ("old", old), ("note", &Purpose::Old.note(live))], &script)
}

/// Gives a database that is about to be exchanged what the backup says that it had. What the live one has comes on top.
pub(crate) fn adorn(project: &Project, from: &Database, new: &str, properties: &[String]) -> Result<()> {
    // Until the exchange its comment says that it is unfinished.
    let own = properties.iter().filter(|sql| !sql.starts_with("COMMENT "));
    let sql = own.fold(String::new(), |text, sql| text + sql + ";\n");
    run(project, from, &[("db", new)], &format!("{PATIENT}BEGIN;\n{sql}COMMIT;\n\\echo exchanged\n"))
}

/// Gives `new` the name of a database that is not there, or leaves it its own, and what the backup says that it had.
pub(crate) fn install(project: &Project, from: &Database, live: &str, new: &str, properties: &[String]) -> Result<()> {
    // From here on it is nobody's leftover.
    let mut script = format!("{PATIENT}BEGIN;\nCOMMENT ON DATABASE :\"db\" IS NULL;\n");
    for sql in properties {
        script += sql;
        script += ";\n";
    }
    script += &write_mark(":'db'");
    if live != new {
        script += SEND_AWAY;
        script += "ALTER DATABASE :\"db\" RENAME TO :\"live\";\n";
    }
    script += "COMMIT;\n\\echo exchanged\n";
    let mark = Mark::of(project).to_string();
    run(project, from, &[("db", new), ("new", new), ("live", live), ("mark", &mark)], &script)
}

/// Once begun it comes to its end, also after Ctrl-C: it takes a moment, and its outcome must be known.
fn run(project: &Project, from: &Database, names: &[(&str, &str)], script: &str) -> Result<()> {
    let mut call: Invocation = from.psql(project)?.args(["-A", "-t", "-f", "-"]).stdin(script).deadline(DEADLINE);
    for (key, value) in names {
        call = call.args(["-v", &format!("{key}={value}")]);
    }
    let runner = project.runner().aftermath();
    let mut attempt = 1;
    loop {
        let tail = match runner.change(&call) {
            Ok(None) => return Ok(()),
            // A cut stream commits nothing, and ends with 0: only the last word says that it was all done.
            Ok(Some(output)) if output.text().lines().any(|line| line == "exchanged") => return Ok(()),
            Ok(Some(_)) => return Err(BackupError::ConnectionLost { message: "during the exchange".to_owned() }.into()),
            Err(ExecError::Exited { code: 3, tail, .. }) => tail,
            Err(error) => return Err(PostgresError::from_exec(error).into()),
        };
        let said: Vec<&str> =
            tail.lines().filter(|line| line.contains("ERROR") || line.starts_with("DETAIL")).collect();
        let message = if said.is_empty() { tail.trim().to_owned() } else { said.join("; ") };
        if !(message.contains("being accessed by other users") || message.contains("lock timeout")) {
            return Err(BackupError::Restore { message }.into());
        }
        if attempt == ATTEMPTS {
            return Err(BackupError::Busy { message }.into());
        }
        project.waiting("clients come back at once; sending them away again");
        project.cancel().sleep(BETWEEN * attempt).map_err(Error::from)?;
        attempt += 1;
    }
}
