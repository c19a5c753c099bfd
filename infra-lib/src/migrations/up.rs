//! Applies pending migrations.

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::config::Order;
use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::context::Opened;
use super::file::Migration;
use super::layout::Layout;
use super::ledger::Ledger;
use super::retry::Patience;
use super::script::Job;
use super::session::{Outcome, Session};
use super::tools::sqlx::Sqlx;
use super::{Version, guard, init_scripts, plan, rules};
use crate::backup::safety::safety_backup;

/// Which migrations to apply or revert.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The version to migrate up or down to.
    pub(crate) to: Option<String>,
    /// The maximum number of migrations.
    pub(crate) steps: Option<usize>,
    /// Whether to apply migrations older than the newest applied one.
    pub(crate) any_order: bool,
    /// How long to wait for other migration runs.
    pub(crate) patience: Duration,
}

/// Default time to wait for other migration runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Default for Wanted {
    fn default() -> Self {
        Self { to: None, steps: None, any_order: false, patience: PATIENCE }
    }
}

/// The result of applying or reverting migrations.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Versions marked as applied because the init scripts contain them.
    pub(crate) noted: Vec<Version>,
    /// Versions that were applied or reverted.
    pub(crate) versions: Vec<Version>,
    /// The backup that was made before the change.
    pub(crate) backup: Option<Utf8PathBuf>,
}

impl Applied {
    /// A summary with one line for each kind of change.
    pub(crate) fn words(&self) -> Vec<String> {
        let list = |versions: &[Version]| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let noted =
            (!self.noted.is_empty()).then(|| format!("marked as applied by the init scripts: {}", list(&self.noted)));
        let applied = (!self.versions.is_empty()).then(|| format!("applied the migrations {}", list(&self.versions)));
        noted.into_iter().chain(applied).collect()
    }
}

/// Applies pending migrations. Each attempt reads the ledger again, since another run may have changed it.
pub(crate) fn up(project: &Project, layout: Layout, wanted: &Wanted) -> Result<Applied> {
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, layout, wanted.patience)?;
    let mut done = Applied::default();
    apply(project, &database, &layout.sqlx, &files, wanted, &mut done, Some(ledger))?;
    Ok(done)
}

/// Applies migrations to any database. The caller holds the locks; `first` is the ledger as already read.
pub(super) fn apply(
    project: &Project,
    database: &Database,
    sqlx: &Sqlx,
    files: &[Migration],
    wanted: &Wanted,
    done: &mut Applied,
    mut first: Option<Ledger>,
) -> Result<()> {
    let linear = !wanted.any_order && project.config().migrations.order == Order::Linear;
    let session = Session { project, database, sqlx, patience: wanted.patience };
    let mut again = Patience::new(wanted.patience);
    let mut agreed = false;
    loop {
        let ledger = first.take().map_or_else(|| Ledger::read(project, database, sqlx), Ok)?;
        guard::check(project, &ledger)?;
        let note = !ledger.exists && ledger.has_tables;
        let jobs: Vec<Job<'_>> = if note {
            init_scripts::made_these(project, database, files)?.into_iter().map(Job::Note).collect()
        } else {
            let pending = plan::pending(sqlx, files, &ledger, linear)?;
            let left = wanted.steps.map(|steps| steps.saturating_sub(done.versions.len()));
            let pending = within(pending, files, wanted.to.as_deref(), left)?;
            pending.iter().try_for_each(|migration| rules::check(&migration.up))?;
            pending.into_iter().map(Job::Up).collect()
        };
        if jobs.is_empty() {
            return Ok(());
        }
        if !agreed {
            let name = |job: &Job<'_>| job.script().path.file_name().unwrap_or_default().to_owned();
            guard::agree(project, jobs.iter().map(name).collect())?;
            if ledger.has_tables && !note {
                done.backup = safety_backup(project)?;
                // A backup takes time; the ledger's fingerprint detects changes in the meantime.
            }
            agreed = true;
        }
        match session.run(&ledger, &jobs) {
            Ok(Outcome::Shown) => return Ok(()),
            Ok(Outcome::Done) => {
                let list = if note { &mut done.noted } else { &mut done.versions };
                list.extend(jobs.iter().map(|job| job.migration().version.clone()));
            }
            Ok(Outcome::Changed) => {}
            Err(error) => again.wait(project, error)?,
        }
    }
}

/// The migrations up to a version, limited to a number of steps.
fn within<'a>(
    pending: Vec<&'a Migration>,
    files: &[Migration],
    to: Option<&str>,
    steps: Option<usize>,
) -> Result<Vec<&'a Migration>> {
    let last = to.map(|to| known(files, to)).transpose()?;
    let up_to = pending.into_iter().filter(|migration| last.is_none_or(|last| migration.version <= *last));
    Ok(up_to.take(steps.unwrap_or(usize::MAX)).collect())
}

/// The version of a file that matches the typed text.
pub(super) fn known<'a>(files: &'a [Migration], typed: &str) -> Result<&'a Version> {
    let found = files.iter().find(|file| file.version.is_meant_by(typed));
    Ok(&found.ok_or_else(|| Error::new(Exit::NotFound, format!("unknown migration version {typed}")))?.version)
}
