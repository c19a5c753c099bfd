//! The schema and the data for development, where `infra.toml` says how they are made.

use crate::error::{Error, Result};
use crate::migrations::{self, Applied, MigrationError};
use crate::project::Project;

/// Applies pending migrations and due seeds. A protected environment is left to whoever operates it.
pub(super) fn bring_up(project: &Project) -> Result<Vec<String>> {
    let stated = &project.manifest().migrations;
    if stated.dir.is_none() && stated.up.is_empty() && stated.seeds.dir.is_none() {
        return Ok(Vec::new());
    }
    if project.environment().protected {
        project.note(format_args!("{} is protected: its migrations are left to you", project.environment().name));
        return Ok(Vec::new());
    }
    let mut changes = Vec::new();
    match migrate(project) {
        Ok(done) => changes.extend(done.iter().flat_map(Applied::words)),
        // The stack runs; what its database holds is for somebody who knows it to say.
        Err(Error::Migration(error @ (MigrationError::NoLedger | MigrationError::Owned { .. }))) => {
            project.warn(format_args!("no migrations were applied: {error} ({})", error.hint().unwrap_or_default()));
            return Ok(changes);
        }
        Err(error) => return Err(error),
    }
    let sown = sow(project)?;
    changes.extend((!sown.is_empty()).then(|| format!("seeded {}", sown.join(", "))));
    Ok(changes)
}

/// Only what `infra.toml` states: a folder that merely looks like one is left to `db-migrate`.
fn migrate(project: &Project) -> Result<Option<Applied>> {
    let stated = &project.manifest().migrations;
    if !stated.up.is_empty() {
        migrations::delegate::run(project, stated.service.as_deref(), &stated.up, "migrate")?;
        return Ok(None);
    }
    if stated.dir.is_none() {
        return Ok(None);
    }
    migrations::up(project, &migrations::Wanted::default()).map(Some)
}

/// The seeds that are due; a command that seeds may do so again and again, and is left to `db-seed`.
fn sow(project: &Project) -> Result<Vec<String>> {
    if project.manifest().migrations.seeds.dir.is_none() {
        return Ok(Vec::new());
    }
    let database = project.database()?;
    migrations::sow(project, &database, &migrations::due_seeds(project, &database)?)
}
