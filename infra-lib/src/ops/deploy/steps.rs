//! The database's part in a deploy: the schema, a backup, migrations.

use jiff::Timestamp;

use crate::backup::catalogue::Catalogue;
use crate::config::Period;
use crate::exit::Exit;
use crate::migrations::{breaking, owner};
use crate::ops::{DbBackup, DbMigrate};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::Outcome as _;

use super::Direction;

/// The oldest backup with which a protected environment is deployed, unless infra.toml says otherwise.
const BACKUP_AGE: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// The versions that are pending, if the project has migrations and a database that answers.
fn pending(project: &Project) -> Result<Vec<String>> {
    if !has_migrations(project) || project.database().is_err() {
        return Ok(Vec::new());
    }
    let Some(report) = owner::standings(project)? else { return Ok(Vec::new()) };
    Ok(report.migrations.into_iter().filter(|it| it.state.is_pending()).map(|it| it.version).collect())
}

fn has_migrations(project: &Project) -> bool {
    project.release().is_some_and(|running| running.release.migrations) || !project.config().migrations.up.is_empty()
}

/// Refuses a schema that the code that runs meanwhile cannot work with: migrations that break the release that is
/// live, or, going back, ones that the earlier release does not know.
pub(super) fn check_schema(live: &Project, target: &Project, direction: Direction) -> Result<()> {
    if live.release().is_none() {
        // No code runs meanwhile that a release could go back to.
        return Ok(());
    }
    let (project, versions, accepted) = match direction {
        Direction::Forward { accept_schema } => (target, pending(target)?, accept_schema),
        Direction::Back { accept_schema } => (live, unknown_to(live, target)?, accept_schema),
    };
    if versions.is_empty() {
        return Ok(());
    }
    let found = breaking::in_files(project, &versions)?;
    let Some(first) = found.first() else { return Ok(()) };
    if accepted || matches!(direction, Direction::Forward { .. }) && !target.environment().protected {
        live.warn(format_args!("{first}: the code that runs now may fail on the new schema"));
        return Ok(());
    }
    let (message, hint) = match direction {
        Direction::Forward { .. } => (
            format!("a migration breaks the release that runs now: {first}"),
            "add what is new now and remove what is old in a later release; `-- infra: compatible` in the file, or \
             `--accept-schema`, accepts it"
                .to_owned(),
        ),
        Direction::Back { .. } => {
            let to = owner::standings(target)?
                .and_then(|report| report.migrations.into_iter().rfind(|it| it.file.is_some()))
                .map_or("0".to_owned(), |it| it.version);
            (
                format!("the schema is ahead of that release: {first}"),
                format!(
                    "first `cargo xtask db-migrate down --to {to}`, then `cargo xtask rollback`; or \
                     `cargo xtask db-restore`, then `cargo xtask rollback`; `--accept-schema` if the old code is \
                     known to work"
                ),
            )
        }
    };
    Err(Error::new(Exit::Refused, message).with_hint(hint))
}

/// The versions that are applied and that an earlier release has no files of.
fn unknown_to(live: &Project, target: &Project) -> Result<Vec<String>> {
    if !has_migrations(live) || live.database().is_err() {
        return Ok(Vec::new());
    }
    let Some(report) = owner::standings(live)? else { return Ok(Vec::new()) };
    let theirs = if has_migrations(target) { owner::standings(target)? } else { None };
    let theirs = theirs.into_iter().flat_map(|report| report.migrations).filter(|it| it.file.is_some());
    let known: Vec<String> = theirs.map(|it| it.version).collect();
    let applied = report.migrations.into_iter().filter(|it| !it.state.is_pending()).map(|it| it.version);
    Ok(applied.filter(|version| !known.contains(version)).collect())
}

/// Backs up the database of a protected environment if its newest verified backup is too old. Migrations make a backup
/// of their own.
pub(super) fn backup(project: &Project, is_first: bool) -> Result<()> {
    if !project.environment().protected || project.database().is_err() {
        return Ok(());
    }
    // Before the first deploy there may be nothing yet to back up.
    let servers = project.postgres_services()?;
    if is_first && !servers.is_empty() && servers.iter().all(|name| project.running(name).is_err()) {
        return Ok(());
    }
    let limit = project.config().deploy.backup_max_age.map_or(BACKUP_AGE, Period::duration);
    let catalogue = Catalogue::read(project)?;
    let newest = catalogue.newest_good(project).filter(|entry| catalogue.has_file_of(entry));
    let age = newest.map(|entry| Timestamp::now().duration_since(entry.manifest.created).unsigned_abs());
    if age.is_some_and(|age| age <= limit) {
        return Ok(());
    }
    let report = project.nested(&DbBackup::default())?;
    match report.exit() {
        Exit::Ok => Ok(()),
        exit => Err(Error::new(exit, format!("the backup before the deploy is not good: {report}"))),
    }
}

/// Applies the pending migrations of the release.
pub(super) fn migrate(project: &Project) -> Result<()> {
    if project.config().migrations.at_start.is_some() {
        // The new containers do.
        return Ok(());
    }
    if pending(project)?.is_empty() && project.config().migrations.up.is_empty() || project.database().is_err() {
        return Ok(());
    }
    project.nested(&DbMigrate::default()).map(drop)
}
