//! The common start of every change to a database's migrations.

use std::time::Duration;

use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::Result;

use super::file::Migration;
use super::guard::{self, Held};
use super::layout::{Layout, Settled};
use super::ledger::Ledger;
use super::orphans;

/// The project's migrations and database, with the locks held and sessions of killed runs terminated.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) layout: Layout,
    pub(super) files: Vec<Migration>,
    pub(super) ledger: Ledger,
    /// The locks, held until this is dropped.
    pub(super) held: Held,
}

impl Opened {
    /// Waits up to `patience` for other migration runs.
    pub(super) fn new(project: &Project, layout: Layout, patience: Duration) -> Result<Self> {
        let database = project.database()?;
        let held = guard::lock(project, "db-migrate", patience)?;
        orphans::terminate_sessions(project, &database)?;
        let Settled { layout, files, ledger } = layout.settle(project, &database)?;
        Ok(Self { database, layout, files, ledger, held })
    }
}
