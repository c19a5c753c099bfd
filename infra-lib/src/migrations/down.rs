//! Reverts applied migrations, newest first.

use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::context::Opened;
use super::file::Migration;
use super::layout::Layout;
use super::ledger::Ledger;
use super::plan::{self, State};
use super::retry::Patience;
use super::script::Job;
use super::session::{Outcome, Session};
use super::tools::sqlx::Sqlx;
use super::up::{Applied, Wanted};
use super::{MigrationError, Version, guard, rules};
use crate::backup::safety::safety_backup;

/// Reverts the last migration, the last N, or all that are later than a version.
pub(crate) fn down(project: &Project, layout: Layout, wanted: &Wanted) -> Result<Applied> {
    let Opened { database, layout, files, held: _held, .. } = Opened::new(project, layout, wanted.patience)?;
    let mut done = Applied::default();
    revert(project, &database, &layout.sqlx, &files, wanted, &mut done, true)?;
    Ok(done)
}

/// Reverts migrations on any database. The caller holds the locks; `ask` requests confirmation first.
pub(super) fn revert(
    project: &Project,
    database: &Database,
    sqlx: &Sqlx,
    files: &[Migration],
    wanted: &Wanted,
    done: &mut Applied,
    ask: bool,
) -> Result<()> {
    let session = Session { project, database, sqlx, patience: wanted.patience };
    let mut again = Patience::new(wanted.patience);
    let mut agreed = !ask;
    loop {
        let ledger = Ledger::read(project, database, sqlx)?;
        guard::check(project, &ledger)?;
        let jobs = jobs(sqlx, files, &ledger, wanted, done.versions.len())?;
        if jobs.is_empty() {
            return Ok(());
        }
        jobs.iter().try_for_each(|job| rules::check(job.script()))?;
        if !agreed {
            let items = jobs.iter().map(|job| format!("what {} made", job.migration().version)).collect();
            project.consent(&project.destruction("db-migrate", items))?;
            done.backup = safety_backup(project)?;
            agreed = true;
        }
        match session.run(&ledger, &jobs) {
            Ok(Outcome::Shown) => return Ok(()),
            Ok(Outcome::Done) => done.versions.extend(jobs.iter().map(|job| job.migration().version.clone())),
            Ok(Outcome::Changed) => {}
            Err(error) => again.wait(project, error)?,
        }
        if wanted.to.is_none() && done.versions.len() >= wanted.steps.unwrap_or(1) {
            return Ok(());
        }
    }
}

fn jobs<'a>(
    sqlx: &Sqlx,
    files: &'a [Migration],
    ledger: &Ledger,
    wanted: &Wanted,
    already: usize,
) -> Result<Vec<Job<'a>>> {
    // An edited file may not revert what its earlier version created.
    let standings = plan::standings(sqlx, files, ledger);
    for standing in &standings {
        if standing.state == State::Failed {
            return Err(MigrationError::Dirty { version: standing.version.to_string() }.into());
        }
    }
    plan::pending(sqlx, files, ledger, false)?;
    let applied: Vec<&Version> = ledger.rows.keys().rev().collect();
    let count = match &wanted.to {
        Some(to) if to == "0" => applied.len(),
        Some(to) => {
            let floor = applied.iter().find(|version| version.is_meant_by(to)).ok_or_else(|| {
                Error::new(Exit::NotFound, format!("version {to} is not applied"))
                    .with_hint("`cargo xtask db-migrate status` lists what is; `--to 0` reverts everything")
            })?;
            applied.iter().filter(|version| version > &floor).count()
        }
        None => wanted.steps.unwrap_or(1).saturating_sub(already).min(applied.len()),
    };
    let mut jobs = Vec::new();
    for version in applied.iter().take(count) {
        let Some(file) = files.iter().find(|file| file.version == **version) else { continue };
        let script = Sqlx::down(file)?.ok_or_else(|| MigrationError::NoDown { path: file.up.path.clone() })?;
        jobs.push(Job::Down(file, script));
    }
    Ok(jobs)
}
