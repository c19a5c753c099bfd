//! Sessions that a killed run has left on the server.
//!
//! A kill reaches us alone: psql goes on, in a container even when its client is gone. So a run notes under which name its
//! session is known, and the next one, which has the lock of this checkout, ends what is left of it.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::postgres::Database;
use crate::project::Project;

/// Each environment has a database of its own.
fn file(project: &Project) -> String {
    format!("migrating-{}.json", project.environment().name)
}

/// How long an ended session may take to undo what it did.
const PATIENCE: Duration = Duration::from_secs(10);

/// A note that is there while a session is.
pub(super) struct Note<'a> {
    project: &'a Project,
}

/// Notes that a session of ours begins.
pub(super) fn note(project: &Project) -> Result<Note<'_>> {
    project.state().write(&file(project), &Database::session_name())?;
    Ok(Note { project })
}

impl Note<'_> {
    /// The session is over.
    pub(super) fn forget(self) {
        let _ = std::fs::remove_file(self.project.state().path().join(file(self.project)));
    }
}

/// Ends what a killed run has left. The caller has the lock, so that nobody else here is alive.
pub(super) fn reap(project: &Project, database: &Database) -> Result<()> {
    let Some(name) = project.state().read::<String>(&file(project)).filter(|_| !project.runner().is_dry_run()) else {
        return Ok(());
    };
    let until = Instant::now() + PATIENCE;
    let mut told = false;
    while !end(project, database, &name)? {
        if !std::mem::replace(&mut told, true) {
            project.note("a run that was killed has left a session; it is being ended");
        }
        if Instant::now() >= until {
            break;
        }
        project.cancel().sleep(Duration::from_millis(100))?;
    }
    Note { project }.forget();
    Ok(())
}

/// Ends other sessions of this process, and says whether none was left.
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
