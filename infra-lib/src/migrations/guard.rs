//! Checks before the migrations of a database are changed.

use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::postgres::{Database, Mark, Place};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::MigrationError;
use super::ledger::Ledger;

/// The database's lock, shared with backups, and the lock that serializes the migration runs of this checkout.
pub(super) struct Held {
    _guards: [Option<Guard>; 2],
}

/// Acquires both locks, waiting up to `patience`.
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

/// Checks that the database belongs to this environment and that no other tool migrates it.
pub(super) fn check(project: &Project, ledger: &Ledger) -> Result<()> {
    if let Some(mark) = ledger.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
        return Err(other_environment(project, mark));
    }
    match ledger.others.first() {
        Some((owner, table)) => Err(MigrationError::Owned { table: table.clone(), owner, ours: "sqlx" }.into()),
        None => Ok(()),
    }
}

/// Asks for confirmation in a protected environment.
pub(super) fn agree(project: &Project, items: Vec<String>) -> Result<()> {
    if !project.environment().protected {
        return Ok(());
    }
    let mut destruction = project.destruction("db-migrate", items);
    destruction.additive = true;
    project.consent(&destruction)
}

/// Refuses operations that are only for development: in a protected environment, on a database marked as another
/// environment's, and on an unmarked database that does not belong to this checkout.
pub(crate) fn only_for_development(project: &Project, database: &Database, operation: &str) -> Result<()> {
    let environment = project.environment();
    let refuse =
        |why: String| Error::new(Exit::Refused, format!("`{operation}` is refused for {why}; nothing was changed"));
    if environment.protected {
        return Err(refuse(format!("the protected environment {}", environment.name)));
    }
    match database.mark(project)? {
        Some(mark) if mark.environment != environment.name => Err(other_environment(project, &mark)),
        Some(mark) if mark.project != project.name() => Err(refuse(format!("a database that is marked as {mark}"))
            .with_hint("`cargo xtask setup` marks this project's own")),
        Some(mark) if !is_development(&mark.environment) => {
            Err(refuse(format!("a database of the environment {}", mark.environment))
                .with_hint("use it in environments whose names begin with dev or test, or are local or ci"))
        }
        None if matches!(database.place, Place::Url { .. }) => Err(refuse("a database without a mark".to_owned())
            .with_hint("`cargo xtask setup` marks the database of this environment")),
        _ => Ok(()),
    }
}

fn is_development(name: &str) -> bool {
    name.starts_with("dev") || name.starts_with("test") || ["local", "ci"].contains(&name)
}

pub(super) fn other_environment(project: &Project, mark: &Mark) -> Error {
    let environment = &project.environment().name;
    Error::new(Exit::Refused, format!("the database is marked as {mark}, not as {environment}; nothing was changed"))
        .with_hint(format!("choose it with `-e {}`, or correct `[database]` and the env file", mark.environment))
}
