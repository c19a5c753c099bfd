//! Applying what is pending.

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Order;
use crate::postgres::Database;
use crate::project::Project;

use super::backup::safety_backup;
use super::file::Migration;
use super::ledger::Ledger;
use super::opened::Opened;
use super::patience::Patience;
use super::script::Job;
use super::session::{Outcome, Session};
use super::tool::Tool;
use super::{MigrationError, Version, guard, init_scripts, plan, rules};

/// How far to go.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Up to this version, or down to it.
    pub(crate) to: Option<String>,
    /// At most so many.
    pub(crate) steps: Option<usize>,
    /// Also those that are older than what was applied.
    pub(crate) any_order: bool,
    /// How long to wait for others.
    pub(crate) patience: Duration,
}

/// How long others are waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Default for Wanted {
    fn default() -> Self {
        Self { to: None, steps: None, any_order: false, patience: PATIENCE }
    }
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Versions that were noted as made by the init scripts.
    pub(crate) noted: Vec<Version>,
    /// Versions that were applied, or reverted.
    pub(crate) versions: Vec<Version>,
    /// The backup that was made before.
    pub(crate) backup: Option<Utf8PathBuf>,
}

impl Applied {
    /// A line for each kind of thing that was done.
    pub(crate) fn words(&self) -> Vec<String> {
        let list = |versions: &[Version]| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let noted =
            (!self.noted.is_empty()).then(|| format!("noted as made by the init scripts: {}", list(&self.noted)));
        let applied = (!self.versions.is_empty()).then(|| format!("applied the migrations {}", list(&self.versions)));
        noted.into_iter().chain(applied).collect()
    }
}

/// Applies pending migrations. Each attempt reads anew what there is, since another migrator may have been at work.
pub(crate) fn up(project: &Project, wanted: &Wanted) -> Result<Applied> {
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, wanted.patience)?;
    for name in layout.tool.left_to_it(&layout.dir)? {
        project.note(format_args!("{name} is left to {}", layout.tool.name()));
    }
    let mut done = Applied::default();
    apply(project, &database, &*layout.tool, &files, wanted, &mut done, Some(ledger))?;
    Ok(done)
}

/// The same on any database, with the locks held; `first` is what was read already.
pub(super) fn apply(
    project: &Project,
    database: &Database,
    tool: &dyn Tool,
    files: &[Migration],
    wanted: &Wanted,
    done: &mut Applied,
    mut first: Option<Ledger>,
) -> Result<()> {
    let linear = !wanted.any_order && project.manifest().migrations.order == Order::Linear;
    let book = tool.book().ok_or(MigrationError::NotOurs { owner: tool.name() })?;
    let session = Session { project, database, tool, book, patience: wanted.patience };
    let mut again = Patience::new(wanted.patience);
    let mut agreed = false;
    loop {
        let ledger = first.take().map_or_else(|| Ledger::read(project, database, tool, files), Ok)?;
        guard::check(project, tool, &ledger)?;
        let note = !ledger.exists && ledger.has_tables;
        let jobs: Vec<Job<'_>> = if note {
            init_scripts::made_these(project, database, files)?.into_iter().map(Job::Note).collect()
        } else {
            let pending = plan::pending(tool, files, &ledger, linear)?;
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
                // A backup takes its time; whatever came in between is found by the ledger's fingerprint.
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

/// Those up to a version, and at most so many.
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

/// The version that was typed, if a file has it.
pub(super) fn known<'a>(files: &'a [Migration], typed: &str) -> Result<&'a Version> {
    let found = files.iter().find(|file| file.version.is_meant_by(typed));
    Ok(&found.ok_or_else(|| Error::new(Exit::NotFound, format!("no migration has the version {typed}")))?.version)
}
