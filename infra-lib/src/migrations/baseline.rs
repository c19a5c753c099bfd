//! Marks existing migrations as applied without running them.

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::context::Opened;
use super::layout::Layout;
use super::script::Job;
use super::session::{Outcome, Session};
use super::up::{self, Applied};
use super::{MigrationError, guard, init_scripts};

/// Marks all migrations up to `to` as applied; without it, those that the init scripts contain.
pub(crate) fn baseline(project: &Project, to: Option<&str>) -> Result<Applied> {
    let layout = Layout::find(project, |own| own.baseline)?;
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, layout, up::PATIENCE)?;
    let sqlx = &layout.sqlx;
    guard::check(project, &ledger)?;
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
    let noted = jobs.iter().map(|job| format!("{}, marked as applied", job.migration().version));
    guard::agree(project, noted.collect())?;
    let session = Session { project, database: &database, sqlx, patience: up::PATIENCE };
    match session.run(&ledger, &jobs)? {
        Outcome::Done => done.noted.extend(jobs.iter().map(|job| job.migration().version.clone())),
        Outcome::Shown => {}
        Outcome::Changed => return Err(MigrationError::Busy { holder: None }.into()),
    }
    Ok(done)
}
