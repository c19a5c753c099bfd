//! `db-restore --drop-previous`

use std::time::Instant;

use crate::backup::leftovers;
use crate::backup::unfinished::Unfinished;
use crate::config::ByteSize;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation};
use crate::report::millis;

use super::db_restore::{DbRestore, RestoreReport};

/// Drop the previous databases that restores kept.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DropPrevious {}

impl Operation for DropPrevious {
    const NAME: &'static str = DbRestore::NAME;
    const GROUP: Group = DbRestore::GROUP;
    type Outcome = RestoreReport;

    fn run(&self, project: &Project) -> Result<RestoreReport> {
        let began = Instant::now();
        let _alone = project.lock(Lock::Database, Mode::Exclusive, Self::NAME)?;
        let live = project.database()?;
        let (from, old) = leftovers::previous(project, &live)?;
        let mut report = RestoreReport { database: live.name.clone(), ..Default::default() };
        if old.is_empty() {
            report.duration_ms = millis(began.elapsed());
            return Ok(report);
        }
        let mut destruction = project.database_destruction(Self::NAME, &live)?;
        destruction.items =
            old.iter().map(|old| format!("the database {} ({})", old.name, ByteSize::new(old.bytes))).collect();
        project.consent(&destruction)?;
        for old in old {
            project.step(format_args!("dropping {}", old.name));
            Unfinished::new(project, &from, &old.name)?.remove(project)?;
            report.dropped.push(old.name);
        }
        report.duration_ms = millis(began.elapsed());
        Ok(report)
    }
}
