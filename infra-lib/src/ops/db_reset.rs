//! `db-reset`

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::backup::safety::safety_backup;
use crate::lock::{Lock, Mode};
use crate::migrations::{self, Reset, guard};
use crate::ops::db_migrate::at_start::at_start;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};

/// Recreate the database, then migrate and seed it.
///
/// A backup comes first. The new database is built as a staging copy and replaces the old one once it is complete, so a
/// failure leaves the old one unchanged. Refused in a protected environment, and on a database that is not for
/// development.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbReset {}

/// What the new database was made of.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ResetReport {
    /// The backup that was made before.
    pub backup: Option<Utf8PathBuf>,
    /// Init scripts that ran.
    pub init: Vec<String>,
    /// Versions that were applied.
    pub migrated: Vec<String>,
    /// The names of the seeds that ran; empty if none were due.
    pub seeded: Vec<String>,
    /// Commands of the project's own that ran.
    pub delegated: Vec<String>,
    #[serde(skip)]
    database: String,
}

impl Operation for DbReset {
    const NAME: &'static str = "db-reset";
    const GROUP: Group = Group::Database;
    type Outcome = ResetReport;

    fn run(&self, project: &Project) -> Result<ResetReport> {
        let database = project.database()?;
        guard::only_for_development(project, &database, Self::NAME)?;
        let items = vec![format!("everything in the database {}", database.name)];
        project.consent(&project.destruction(Self::NAME, items))?;
        if project.runner().is_dry_run() {
            let what = format!("recreate the database {}, then migrate and seed it", database.name);
            project.runner().apply(what, || -> Result<()> { Ok(()) })?;
            return Ok(ResetReport { database: database.name, ..ResetReport::default() });
        }
        let backup = safety_backup(project)?;
        let _lock = project.lock(Lock::Database, Mode::Exclusive, Self::NAME)?;
        let Reset { init, migrated, seeded, delegated } = migrations::reset(project, &database, &|| at_start(project))?;
        let migrated = migrated.iter().map(ToString::to_string).collect();
        Ok(ResetReport { backup, init, migrated, seeded, delegated, database: database.name })
    }
}

impl Outcome for ResetReport {}

impl fmt::Display for ResetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recreated {}", self.database)?;
        for (what, list) in
            [("ran", &self.init), ("migrated", &self.migrated), ("seeded", &self.seeded), ("ran", &self.delegated)]
        {
            if !list.is_empty() {
                write!(f, "; {what} {}", list.join(", "))?;
            }
        }
        if let Some(backup) = &self.backup {
            write!(f, "\nbackup of the previous database: {backup}")?;
        }
        Ok(())
    }
}
