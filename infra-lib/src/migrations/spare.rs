//! Databases beside the project's own, to be thrown away or to take its place.

use crate::backup::beside::{self, Purpose, Unfinished};
use crate::backup::facts::Facts;
use crate::backup::{leftovers, swap};
use crate::error::Result;
use crate::postgres::Database;
use crate::project::Project;

/// An empty database with the live one's locale, on the same server. It goes when this is dropped, unless it has taken the
/// live one's place; what a killed run leaves is found by its comment.
pub(super) struct Spare<'a> {
    project: &'a Project,
    /// The database from which others are made and dropped.
    from: Database,
    live: String,
    /// How to reach it.
    pub(super) database: Database,
    unfinished: Unfinished,
    exchanged: bool,
}

impl<'a> Spare<'a> {
    /// Makes it. One that is to be `Purpose::New` wants the database's lock alone: then what others have left goes first.
    pub(super) fn create(project: &'a Project, live: &Database, purpose: Purpose) -> Result<Self> {
        let from = beside::maintenance(project, live)?;
        if purpose == Purpose::New {
            leftovers::heal(project, &from, live)?;
        }
        let facts = Facts::ask(project, live)?;
        let name = purpose.name(&live.name)?;
        let unfinished = Unfinished::new(project, &from, &name)?;
        beside::create(project, &from, &live.name, &name, purpose, Some(&facts.database), facts.major())?;
        let database = Database { name, ..live.clone() };
        Ok(Self { project, from, live: live.name.clone(), database, unfinished, exchanged: false })
    }

    /// Puts it in the live one's place, with the live one's settings, grants and comment, in one transaction. Whoever is
    /// connected is disconnected; for a moment clients may hear that there is no such database.
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

/// What was the live database before an exchange.
pub(super) struct Aside<'a> {
    project: &'a Project,
    from: Database,
    live: String,
    name: String,
}

impl Aside<'_> {
    /// Puts it back; what has taken its place is dropped.
    pub(super) fn put_back(self) -> Result<()> {
        let failed = Purpose::New.name(&self.live)?;
        let unfinished = Unfinished::new(self.project, &self.from, &failed)?;
        swap::exchange(self.project, &self.from, &self.live, &self.name, &failed)?;
        unfinished.abandon(self.project);
        Ok(())
    }

    /// Drops it.
    pub(super) fn discard(self) {
        if let Ok(old) = Unfinished::new(self.project, &self.from, &self.name) {
            old.abandon(self.project);
        }
    }
}
