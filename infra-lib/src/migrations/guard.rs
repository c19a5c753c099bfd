//! What must hold before the migrations of a database are touched.

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::postgres::Mark;
use crate::project::Project;

use super::MigrationError;
use super::ledger::Ledger;
use super::tool::Tool;

/// The database's lock, shared with backups, and the one that lets the migrators of this checkout in one by one.
pub(super) struct Held {
    _guards: [Option<Guard>; 2],
}

/// Takes the locks.
pub(super) fn lock(project: &Project, operation: &str, patience: std::time::Duration) -> Result<Held> {
    let database = project.lock(Lock::Database, Mode::Shared, operation)?;
    if project.runner().is_dry_run() {
        return Ok(Held { _guards: [database, None] });
    }
    let wait = |text: &str| project.waiting(text);
    let dir = project.state().ensure()?;
    let own = Lock::Migration.acquire(dir, Mode::Exclusive, operation, patience, project.cancel(), wait)?;
    Ok(Held { _guards: [database, Some(own)] })
}

/// The database is this environment's, as far as it says, and nobody else migrates it.
pub(super) fn check(project: &Project, tool: &dyn Tool, ledger: &Ledger) -> Result<()> {
    if let Some(mark) = ledger.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
        return Err(other_environment(project, mark));
    }
    match ledger.others.first() {
        Some((owner, table)) => Err(MigrationError::Owned { table: table.clone(), owner, ours: tool.name() }.into()),
        None => Ok(()),
    }
}

pub(super) fn other_environment(project: &Project, mark: &Mark) -> Error {
    let environment = &project.environment().name;
    Error::new(
        Exit::Refused,
        format!("the database says that it is {mark}, and not {environment}; nothing was changed"),
    )
    .with_hint(format!(
        "choose it with `-e {}`, or correct `[database]` and the env file, which lead to it",
        mark.environment
    ))
}
