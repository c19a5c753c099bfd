//! Finds out why a dump failed, beyond what its client reports.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::config::ByteSize;
use crate::exec::ExecError;
use crate::postgres::{Database, Place, PostgresError, Toolbox};
use crate::project::Project;
use crate::project::error::Error;

use super::BackupError;
use super::draft::Draft;

/// How long to wait for a container to exit after its server announced a shutdown.
const ENDING: Duration = Duration::from_secs(1);

/// The error for a dump that failed with `error`.
pub(super) fn failed(project: &Project, toolbox: &Toolbox<'_>, draft: &Draft<'_>, error: ExecError) -> Error {
    let database = toolbox.database();
    match error {
        error @ ExecError::Cancelled { .. } => error.into(),
        // On this machine the signal hit the tool itself, elsewhere only its client.
        ExecError::Signalled { signal, .. } if toolbox.is_on_host() && signal != FILE_TOO_LARGE => {
            BackupError::Killed { tool: "pg_dump".to_owned(), signal }.into()
        }
        ExecError::Stalled { after, .. } => {
            BackupError::Stalled { after, state: blocker(project, database).or_else(|| state(project, database)) }
                .into()
        }
        error if is_broken_disk(error.tail()) => {
            let (path, cause) = (draft.folder().path().join(draft.part()), io::Error::from(Errno::IO));
            Error::file("write", path)(cause)
        }
        error => match BackupError::from_exec("pg_dump", draft.folder().path(), error) {
            BackupError::NoRoom { .. } => full(draft).into(),
            BackupError::Blocked { message } => {
                BackupError::Blocked { message: blocker(project, database).unwrap_or(message) }.into()
            }
            lost if is_lost(&lost) => match ended(project, database) {
                Some(Ok(state)) => BackupError::ConnectionLost { message: format!("{state}: {lost}") }.into(),
                Some(Err(engine)) => BackupError::EngineLost { message: engine.to_string() }.into(),
                None => lost.into(),
            },
            error => error.into(),
        },
    }
}

/// Whether the tool, rather than the server, had a disk error.
fn is_broken_disk(said: &str) -> bool {
    let own = |line: &str| line.starts_with("pg_dump: ") && line.contains("Input/output error");
    said.lines().any(|line| own(line) && !line.contains("ERROR:"))
}

/// `SIGXFSZ`: the signal for a write beyond the file size limit.
pub(super) const FILE_TOO_LARGE: i32 = 25;

/// The disk is full; measured before the written files are removed.
pub(super) fn full(draft: &Draft<'_>) -> BackupError {
    let room = draft.folder().room().ok();
    let free = match room {
        Some(room) if room.files == Some(0) => "no inodes".to_owned(),
        Some(room) => ByteSize::new(room.bytes).to_string(),
        None => "nothing known".to_owned(),
    };
    let written = ByteSize::new(draft.written()).to_string();
    BackupError::Full { path: draft.folder().path().to_owned(), written, free }
}

fn is_lost(error: &BackupError) -> bool {
    matches!(
        error,
        BackupError::ConnectionLost { .. }
            | BackupError::EngineLost { .. }
            | BackupError::Incomplete { .. }
            | BackupError::Killed { .. }
            | BackupError::Postgres(PostgresError::Unreachable { .. } | PostgresError::Failed(_))
    )
}

/// The state of the database's container if it has stopped, or why that cannot be determined.
fn ended(project: &Project, database: &Database) -> Option<Result<String, Error>> {
    let Place::Service { service, .. } = &database.place else { return None };
    let _ = project.cancel().sleep(ENDING);
    match project.database_container(service) {
        Ok(_) => None,
        Err(error) => Some(match error.downcast_ref() {
            Some(PostgresError::Unreachable { message }) => Ok(message.clone()),
            _ => Err(error),
        }),
    }
}

fn state(project: &Project, database: &Database) -> Option<String> {
    ended(project, database).map(|state| state.unwrap_or_else(|error| error.to_string()))
}

/// A session that holds or awaits a lock which blocks the dump. Quoted strings in its statement may be secrets.
const BLOCKER: &str = "SELECT format('process %s (%s%s) has locked %s since %s: %s', a.pid, a.usename,
   coalesce(nullif(', ' || a.application_name, ', '), ''), l.relation::regclass, to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'),
   left(regexp_replace(regexp_replace(a.query, '''[^'']*''', '''…''', 'g'), '\\s+', ' ', 'g'), 200))
 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation' AND l.relation >= 16384
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.pid <> pg_backend_pid()
 ORDER BY l.granted DESC, a.xact_start LIMIT 1;";

fn blocker(project: &Project, database: &Database) -> Option<String> {
    database.query_within(project, BLOCKER, Duration::from_secs(5)).ok().filter(|text| !text.is_empty())
}
