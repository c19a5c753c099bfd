//! What must hold before the migrations of a database are touched.

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::postgres::{Database, Mark, Place};
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

/// In a protected environment somebody must say yes to what is added.
pub(super) fn agree(project: &Project, items: Vec<String>) -> Result<()> {
    if !project.environment().protected {
        return Ok(());
    }
    let mut destruction = project.destruction("db-migrate", items);
    destruction.additive = true;
    project.consent(&destruction)
}

/// What is only for development: never in a protected environment, nor on a database that says that it is anything else,
/// nor on one that says nothing and is not this checkout's own.
pub(crate) fn only_for_development(project: &Project, database: &Database, operation: &str) -> Result<()> {
    let environment = project.environment();
    let refuse =
        |why: String| Error::new(Exit::Refused, format!("`{operation}` is not for {why}; nothing was changed"));
    if environment.protected {
        return Err(refuse(format!("the protected environment {}", environment.name)));
    }
    match database.mark(project)? {
        Some(mark) if mark.environment != environment.name => Err(other_environment(project, &mark)),
        Some(mark) if mark.project != project.name() => Err(refuse(format!("a database that says that it is {mark}"))
            .with_hint("`cargo xtask setup` marks this project's own")),
        Some(mark) if !is_development(&mark.environment) => {
            Err(refuse(format!("a database of the environment {}", mark.environment))
                .with_hint("it is for environments whose names begin with dev or test, or are local or ci"))
        }
        None if matches!(database.place, Place::Url { .. }) => {
            Err(refuse("a database that does not say what it is".to_owned())
                .with_hint("`cargo xtask setup` marks the one that this environment leads to"))
        }
        _ => Ok(()),
    }
}

fn is_development(name: &str) -> bool {
    name.starts_with("dev") || name.starts_with("test") || ["local", "ci"].contains(&name)
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
