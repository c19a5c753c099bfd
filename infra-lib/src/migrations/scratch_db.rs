//! Scratch databases for migrations, which are dropped or swapped with the live one.

use crate::backup::facts::Facts;
use crate::backup::scratch_db::{self, Purpose};
use crate::backup::unfinished::Unfinished;
use crate::backup::{leftovers, swap};
use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::{Error, Result};

/// An empty scratch database with the live database's locale, on the same server. It is dropped with this value,
/// unless it was swapped in. The comment on the database identifies what a killed run leaves.
pub(super) struct Spare<'a> {
    project: &'a Project,
    /// The maintenance database, from which others are created and dropped.
    from: Database,
    live: String,
    /// The connection to the scratch database.
    pub(super) database: Database,
    unfinished: Unfinished,
    exchanged: bool,
}

impl<'a> Spare<'a> {
    /// Creates the scratch database. `Purpose::New` requires the database's exclusive lock, since it first drops
    /// leftovers.
    pub(super) fn create(project: &'a Project, live: &Database, purpose: Purpose) -> Result<Self> {
        let from = scratch_db::maintenance(project, live)?;
        if purpose == Purpose::New {
            leftovers::recover(project, &from, live)?;
        }
        let facts = Facts::query(project, live)?;
        let name = purpose.name(&live.name)?;
        let unfinished = Unfinished::new(project, &from, &name)?;
        scratch_db::create(project, &from, &live.name, &name, purpose, Some(&facts.database), facts.major())?;
        let database = Database { name, ..live.clone() };
        Ok(Self { project, from, live: live.name.clone(), database, unfinished, exchanged: false })
    }

    /// Swaps it with the live database in one transaction and keeps the live database's settings, grants and comment.
    /// Clients are disconnected, and for a moment may see an error that the database does not exist.
    pub(super) fn exchange(mut self) -> Result<Aside<'a>> {
        let old = Purpose::Old.name(&self.live)?;
        swap::exchange(self.project, &self.from, &self.live, &self.database.name, &old)?;
        self.exchanged = true;
        Ok(Aside { project: self.project, from: self.from.clone(), live: self.live.clone(), name: old })
    }
}

impl Drop for Spare<'_> {
    fn drop(&mut self) {
        if !self.exchanged {
            self.unfinished.abandon(self.project);
        }
    }
}

/// The previous database after a swap.
pub(super) struct Aside<'a> {
    project: &'a Project,
    from: Database,
    live: String,
    name: String,
}

impl Aside<'_> {
    /// Swaps the previous database back and drops its replacement.
    pub(super) fn put_back(self) -> Result<()> {
        let failed = Purpose::New.name(&self.live)?;
        let unfinished = Unfinished::new(self.project, &self.from, &failed)?;
        swap::exchange(self.project, &self.from, &self.live, &self.name, &failed)?;
        unfinished.abandon(self.project);
        Ok(())
    }

    /// Drops the previous database.
    pub(super) fn discard(self) -> Result<()> {
        let dropped = Unfinished::new(self.project, &self.from, &self.name).and_then(|old| old.remove(self.project));
        dropped.map_err(|error| {
            let what =
                format!("{} was recreated, but the previous database {} is left over: {error}", self.live, self.name);
            Error::new(Exit::Partial, what).with_hint("`cargo xtask db-restore --drop-previous` drops it")
        })
    }
}
