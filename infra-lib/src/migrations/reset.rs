//! Recreates the database: empty, migrated, seeded.
//!
//! The new database is built under a temporary name and swapped in when it is complete, so a failure leaves the old
//! one unchanged. Only the project's own tool, which can reach just the configured name, runs after the swap. If it
//! fails, the old database is swapped back.

use crate::backup::scratch_db::Purpose;
use crate::exec::ExecError;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::failure::Failure;
use super::layout::{Layout, Settled};
use super::owner::Owner;
use super::scratch_db::Spare;
use super::tools::run::Fallback;
use super::up::{self, Applied, Wanted};
use super::{MigrationError, Version, delegate, init_scripts, seeds};

/// The result of a reset.
#[derive(Debug, Default)]
pub(crate) struct Reset {
    /// Names of the init scripts that ran.
    pub(crate) init: Vec<String>,
    /// Versions that were applied, or marked as applied because the init scripts contain them.
    pub(crate) migrated: Vec<Version>,
    /// Names of the seeds that ran.
    pub(crate) seeded: Vec<String>,
    /// Commands of the project that ran.
    pub(crate) delegated: Vec<String>,
}

/// Recreates the database. The caller has obtained confirmation and locks, and has made the backup.
pub(crate) fn reset(project: &Project, live: &Database, fallback: Fallback<'_>) -> Result<Reset> {
    let owner = match Owner::find(project) {
        Ok(owner) => Some(owner),
        Err(error) if project.config().migrations.dir.is_some() => return Err(error),
        // A project may have no migrations at all.
        Err(_) => None,
    };
    let mut done = Reset::default();
    project.step("creating a staging copy");
    let spare = Spare::create(project, live, Purpose::New)?;
    let own = match owner {
        Some(owner @ (Owner::Known(_) | Owner::Commands(_))) => {
            // The tool sees the same state as on an empty volume.
            run_inits(project, live, &spare.database, &mut done)?;
            Some(owner)
        }
        native => {
            let layout = if let Some(Owner::Native(layout)) = native { Some(layout) } else { None };
            fill(project, live, &spare.database, layout, &mut done)?;
            let due = seeds::due(project, &spare.database)?;
            done.seeded = seeds::apply_seeds(project, &spare.database, &due)?;
            None
        }
    };
    project.step("swapping it with the previous database");
    let before = spare.exchange()?;
    match with_own_tools(project, live, own.as_ref(), fallback, &mut done) {
        Ok(()) => before.discard()?,
        Err(error) => {
            project.note("swapping the previous database back");
            before.put_back()?;
            return Err(error);
        }
    }
    Ok(done)
}

/// Creates the schema from the migrations, and from the init scripts if they contain other SQL.
fn fill(project: &Project, live: &Database, spare: &Database, layout: Option<Layout>, done: &mut Reset) -> Result<()> {
    let layout = layout.map(|layout| layout.settle(project, live)).transpose()?;
    let files = layout.as_ref().map_or(&[][..], |settled| &settled.files);
    let covered = !files.is_empty() && init_scripts::made_these(project, live, files).is_ok();
    if !covered {
        run_inits(project, live, spare, done)?;
    }
    if let Some(Settled { layout, .. }) = &layout {
        let mut applied = Applied::default();
        up::apply(project, spare, &layout.sqlx, files, &Wanted::default(), &mut applied, None)?;
        done.migrated.append(&mut applied.noted);
        done.migrated.append(&mut applied.versions);
    }
    Ok(())
}

fn run_inits(project: &Project, live: &Database, spare: &Database, done: &mut Reset) -> Result<()> {
    for script in init_scripts::sql_files(project, live)? {
        run_init(project, spare, &script)?;
        done.init.extend(script.file_name().map(str::to_owned));
    }
    Ok(())
}

/// Runs a script as the image does: psql reads the file, including meta-commands.
pub(super) fn run_init(project: &Project, spare: &Database, script: &camino::Utf8Path) -> Result<()> {
    project.step(format_args!("running {}", script.strip_prefix(project.root()).unwrap_or(script)));
    let text = std::fs::read(script).map_err(Error::file("read", script))?;
    let call = spare.psql(project)?.args(["-v", "VERBOSITY=verbose", "-o", "/dev/null", "-f", "-"]).stdin(text);
    match project.runner().change(&call) {
        Ok(_) => Ok(()),
        Err(ExecError::Exited { code: 3, tail, .. }) => {
            let Failure { message, sqlstate, .. } = Failure::read(&tail);
            Err(MigrationError::Failed { path: script.to_owned(), line: None, message, sqlstate }.into())
        }
        Err(error) => Err(PostgresError::from_exec(error).into()),
    }
}

/// Runs the project's own commands on the new database after the swap.
fn with_own_tools(
    project: &Project,
    live: &Database,
    own: Option<&Owner>,
    fallback: Fallback<'_>,
    done: &mut Reset,
) -> Result<()> {
    if let Some(own) = own {
        match own {
            Owner::Commands(own) => {
                delegate::run(project, own.service.as_deref(), &own.up, "migrate")?;
                done.delegated.push(own.up.join(" "));
            }
            Owner::Known(migrations) => done.delegated.push(migrations.fill(project, fallback)?),
            Owner::Native(_) => {}
        }
        let due = seeds::due(project, live)?;
        done.seeded = seeds::apply_seeds(project, live, &due)?;
    }
    let seeds = &project.config().migrations.seeds;
    if delegate::run(project, seeds.service.as_deref(), &seeds.command, "seed")? {
        done.delegated.push(seeds.command.join(" "));
    }
    Ok(())
}
