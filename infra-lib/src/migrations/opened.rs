//! What every change of a database's migrations begins with.

use std::time::Duration;

use crate::error::Result;
use crate::postgres::Database;
use crate::project::Project;

use super::file::Migration;
use super::guard::{self, Held};
use super::layout::{Layout, Settled};
use super::ledger::Ledger;
use super::orphans;

/// The project's migrations and its database, with the locks held and nothing of a killed run left on the server.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) layout: Layout,
    pub(super) files: Vec<Migration>,
    pub(super) ledger: Ledger,
    /// Held until this is dropped.
    pub(super) held: Held,
}

impl Opened {
    /// Waits for others that migrate, at most so long.
    pub(super) fn new(project: &Project, patience: Duration) -> Result<Self> {
        let layout = Layout::find(project)?;
        let database = project.database()?;
        let held = guard::lock(project, "db-migrate", patience)?;
        orphans::reap(project, &database)?;
        let Settled { layout, files, ledger } = layout.settle(project, &database)?;
        Ok(Self { database, layout, files, ledger, held })
    }
}
