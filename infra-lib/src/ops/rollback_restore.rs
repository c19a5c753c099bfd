//! `db-restore --rollback`

use std::time::Instant;

use crate::backup::scratch_db::Purpose;
use crate::backup::{leftovers, swap};
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation};
use crate::report::millis;

use super::db_restore::{DbRestore, RestoreReport, clients};

/// Go back to the database from before the last restore.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct RollbackRestore {}

impl Operation for RollbackRestore {
    const NAME: &'static str = DbRestore::NAME;
    const GROUP: Group = DbRestore::GROUP;
    type Outcome = RestoreReport;

    fn run(&self, project: &Project) -> Result<RestoreReport> {
        let began = Instant::now();
        let _alone = project.lock(Lock::Database, Mode::Exclusive, Self::NAME)?;
        let live = project.database()?;
        let (from, old) = leftovers::previous(project, &live)?;
        let Some(old) = old.into_iter().next() else {
            return Err(Error::new(Exit::NotFound, format!("{} has no previous database", live.name))
                .with_hint("`cargo xtask db-restore BACKUP` restores a backup"));
        };
        let mut destruction = project.database_destruction(Self::NAME, &live)?;
        destruction.items = vec![format!(
            "{} will be swapped with {} ({}), and is kept",
            live.name,
            old.name,
            ByteSize::new(old.bytes)
        )];
        project.consent(&destruction)?;
        let kept = Purpose::Old.name(&live.name)?;
        swap::exchange(project, &from, &live.name, &old.name, &kept)?;
        let mut report = RestoreReport { database: live.name.clone(), old: Some(kept), ..Default::default() };
        clients::restart(project, &live, &mut report)?;
        report.duration_ms = millis(began.elapsed());
        Ok(report)
    }
}
