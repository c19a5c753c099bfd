//! The schema and the data for development, where `infra.toml` says how they are made.

use crate::migrations::owner::Owner;
use crate::migrations::{self, MigrationError};
use crate::ops::db_migrate::at_start::at_start;
use crate::project::Project;
use crate::project::error::Result;

/// Applies pending migrations and due seeds. A protected environment is left to its operators.
pub(super) fn bring_up(project: &Project) -> Result<Vec<String>> {
    let stated = &project.config().migrations;
    if stated.dir.is_none() && stated.up.is_empty() && stated.seeds.dir.is_none() {
        return Ok(Vec::new());
    }
    if project.environment().protected {
        project.note(format_args!("{} is protected: its migrations are left to you", project.environment().name));
        return Ok(Vec::new());
    }
    let mut changes = Vec::new();
    match migrate(project) {
        Ok(done) => changes.extend(done),
        // The stack runs; what its database holds is for somebody who knows it to say.
        Err(error)
            if matches!(
                error.downcast_ref(),
                Some(MigrationError::NoLedger | MigrationError::Owned { .. } | MigrationError::NotInstalled { .. })
            ) =>
        {
            project.warn(format_args!("no migrations were applied: {error} ({})", error.hint().unwrap_or_default()));
            return Ok(changes);
        }
        Err(error) => return Err(error),
    }
    let sown = apply_seeds(project)?;
    changes.extend((!sown.is_empty()).then(|| format!("seeded {}", sown.join(", "))));
    Ok(changes)
}

/// The versions that `db-migrate` would apply. A database whose migrations cannot be determined has none to name.
pub(super) fn pending(project: &Project) -> Vec<String> {
    let report = migrations::owner::standings(project).ok().flatten().filter(|report| report.obstacle.is_none());
    let all = report.map(|report| report.migrations).unwrap_or_default();
    all.into_iter().filter(|it| it.state.is_pending()).map(|it| it.version).collect()
}

/// Only what `infra.toml` states: a folder that merely looks like one is left to `db-migrate`.
fn migrate(project: &Project) -> Result<Vec<String>> {
    let stated = &project.config().migrations;
    if !stated.up.is_empty() {
        migrations::delegate::run(project, stated.service.as_deref(), &stated.up, "migrate")?;
        return Ok(Vec::new());
    }
    if stated.dir.is_none() {
        return Ok(Vec::new());
    }
    let wanted = migrations::Wanted::default();
    let applied = match Owner::find(project)? {
        Owner::Native(layout) => return Ok(migrations::up(project, layout, &wanted)?.words()),
        Owner::Known(migrations) => migrations.up(project, &wanted, &|| at_start(project))?.applied,
        Owner::Commands(_) => Vec::new(),
    };
    Ok((!applied.is_empty()).then(|| format!("applied the migrations {}", applied.join(", "))).into_iter().collect())
}

/// The seeds that are due; a command that seeds may do so again and again, and is left to `db-seed`.
fn apply_seeds(project: &Project) -> Result<Vec<String>> {
    if project.config().migrations.seeds.dir.is_none() {
        return Ok(Vec::new());
    }
    let database = project.database()?;
    migrations::apply_seeds(project, &database, &migrations::due_seeds(project, &database)?)
}
