//! Noting as applied what the database holds already.

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

use super::opened::Opened;
use super::script::Job;
use super::session::{Outcome, Session};
use super::up::{self, Applied};
use super::{MigrationError, guard, init_scripts};

/// Notes all up to a version; without one, those that the init scripts are known to have made.
pub(crate) fn baseline(project: &Project, to: Option<&str>) -> Result<Applied> {
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, up::PATIENCE)?;
    let tool = &*layout.tool;
    let book = tool.book().ok_or(MigrationError::NotOurs { owner: tool.name() })?;
    guard::check(project, tool, &ledger)?;
    let wanted: Vec<_> = match to {
        Some(to) => {
            let last = up::known(&files, to)?;
            files.iter().filter(|file| file.version <= *last).collect()
        }
        None => init_scripts::made_these(project, &database, &files).map_err(|_| {
            Error::new(Exit::Usage, "the init scripts do not say which migrations the database holds")
                .with_hint("name the newest of them: `cargo xtask db-migrate baseline VERSION`")
        })?,
    };
    let jobs: Vec<Job<'_>> =
        wanted.into_iter().filter(|file| !ledger.rows.contains_key(&file.version)).map(Job::Note).collect();
    let mut done = Applied::default();
    if jobs.is_empty() {
        return Ok(done);
    }
    let noted = jobs.iter().map(|job| format!("{}, noted as applied", job.migration().version));
    guard::agree(project, noted.collect())?;
    let session = Session { project, database: &database, tool, book, patience: up::PATIENCE };
    match session.run(&ledger, &jobs)? {
        Outcome::Done => done.noted.extend(jobs.iter().map(|job| job.migration().version.clone())),
        Outcome::Shown => {}
        Outcome::Changed => return Err(MigrationError::Busy { holder: None }.into()),
    }
    Ok(done)
}
