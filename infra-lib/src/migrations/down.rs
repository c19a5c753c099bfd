//! Reverting what was applied, the newest first.

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;

use super::backup::safety_backup;
use super::file::Migration;
use super::ledger::Ledger;
use super::opened::Opened;
use super::patience::Patience;
use super::plan::{self, State};
use super::script::Job;
use super::session::{Outcome, Session};
use super::tool::Tool;
use super::up::{Applied, Wanted};
use super::{MigrationError, Version, guard, rules};

/// Reverts the last migration, so many, or all that are later than a version.
pub(crate) fn down(project: &Project, wanted: &Wanted) -> Result<Applied> {
    let Opened { database, layout, files, held: _held, .. } = Opened::new(project, wanted.patience)?;
    let mut done = Applied::default();
    revert(project, &database, &*layout.tool, &files, wanted, &mut done, true)?;
    Ok(done)
}

/// The same on any database, with the locks held; `ask` is for one that somebody may miss.
pub(super) fn revert(
    project: &Project,
    database: &Database,
    tool: &dyn Tool,
    files: &[Migration],
    wanted: &Wanted,
    done: &mut Applied,
    ask: bool,
) -> Result<()> {
    let book = tool.book().ok_or(MigrationError::NotOurs { owner: tool.name() })?;
    let session = Session { project, database, tool, book, patience: wanted.patience };
    let mut again = Patience::new(wanted.patience);
    let mut agreed = !ask;
    loop {
        let ledger = Ledger::read(project, database, tool, files)?;
        guard::check(project, tool, &ledger)?;
        let jobs = jobs(tool, files, &ledger, wanted, done.versions.len())?;
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
    tool: &dyn Tool,
    files: &'a [Migration],
    ledger: &Ledger,
    wanted: &Wanted,
    already: usize,
) -> Result<Vec<Job<'a>>> {
    // What was edited is reverted by whoever does not know what it made.
    let standings = plan::standings(tool, files, ledger);
    for standing in &standings {
        if standing.state == State::Failed {
            return Err(MigrationError::Dirty { version: standing.version.to_string() }.into());
        }
    }
    plan::pending(tool, files, ledger, false)?;
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
    for (number, version) in applied.iter().take(count).enumerate() {
        let Some(file) = files.iter().find(|file| file.version == **version) else { continue };
        let script = tool.down(file)?.ok_or_else(|| MigrationError::NoDown { path: file.up.path.clone() })?;
        jobs.push(Job::Down(file, script, applied.get(number + 1).map(|before| (*before).clone())));
    }
    Ok(jobs)
}
