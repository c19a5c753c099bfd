//! Sessions that a killed run left on the server.
//!
//! A kill ends only this process. psql keeps running, in a container even when its client is gone. So a run records
//! the name of its session, and the next run, which holds this checkout's lock, terminates what is left.

use std::time::{Duration, Instant};

use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::Result;

/// The state file's name; each environment has its own database.
fn file(project: &Project) -> String {
    format!("migrating-{}.json", project.environment().name)
}

/// How long a terminated session may take to roll back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A record that exists as long as a session does.
pub(super) struct Note<'a> {
    project: &'a Project,
}

/// Records that a session begins.
pub(super) fn note(project: &Project) -> Result<Note<'_>> {
    project.state().write(&file(project), &Database::session_name())?;
    Ok(Note { project })
}

impl Note<'_> {
    /// Deletes the record after the session has ended.
    pub(super) fn forget(self) {
        let _ = std::fs::remove_file(self.project.state().path().join(file(self.project)));
    }
}

/// Terminates sessions of a killed run. The caller holds the lock, so no other run of this checkout is alive.
pub(super) fn terminate_sessions(project: &Project, database: &Database) -> Result<()> {
    let Some(name) = project.state().read::<String>(&file(project)).filter(|_| !project.runner().is_dry_run()) else {
        return Ok(());
    };
    let until = Instant::now() + PATIENCE;
    let mut told = false;
    while !end(project, database, &name)? {
        if !std::mem::replace(&mut told, true) {
            project.note("ending a session that a killed run left behind");
        }
        if Instant::now() >= until {
            break;
        }
        project.cancel().sleep(Duration::from_millis(100))?;
    }
    Note { project }.forget();
    Ok(())
}

/// Terminates other sessions of this process. Returns whether none is left.
pub(super) fn end_own(project: &Project, database: &Database) -> Result<bool> {
    end(project, database, Database::session_name())
}

fn end(project: &Project, database: &Database, name: &str) -> Result<bool> {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = :'session' AND pid <> pg_backend_pid();";
    let call = database.psql(project)?.args(["-A", "-t", "-v", &format!("session={name}"), "-f", "-"]);
    let call = call.stdin(sql).deadline(Duration::from_secs(20));
    Ok(Database::execute(project, &call)?.is_none_or(|output| output.text() == "0"))
}
