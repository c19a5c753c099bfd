//! The databases that served before restores: going back to one, and letting them go.

use crate::backup::beside::{self, Purpose};
use crate::backup::{leftovers, swap};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::ByteSize;
use crate::operation::Operation as _;
use crate::postgres::Database;
use crate::project::Project;

use super::{DbRestore, RestoreReport, clients};

/// Exchanges the live database with the one that served before the last restore, which is kept in its turn.
pub(super) fn undo(project: &Project, live: &Database) -> Result<RestoreReport> {
    let from = beside::maintenance(project, live)?;
    leftovers::heal(project, &from, live)?;
    let Some(old) = leftovers::list(project, &from, &live.name, Purpose::Old)?.into_iter().next() else {
        return Err(Error::new(Exit::NotFound, format!("no database is kept that served before {}", live.name))
            .with_hint("`cargo xtask db-restore BACKUP` restores a backup"));
    };
    let mut destruction = project.database_destruction(DbRestore::NAME, live)?;
    destruction.items =
        vec![format!("{} gives way to {} ({}), and is kept", live.name, old.name, ByteSize::new(old.bytes))];
    project.consent(&destruction)?;
    let kept = Purpose::Old.name(&live.name)?;
    swap::exchange(project, &from, &live.name, &old.name, &kept)?;
    let mut report = RestoreReport { database: live.name.clone(), old: Some(kept), ..Default::default() };
    clients::restart(project, live, &mut report)?;
    Ok(report)
}

/// Drops every database that served before a restore.
pub(super) fn finish(project: &Project, live: &Database) -> Result<RestoreReport> {
    let from = beside::maintenance(project, live)?;
    leftovers::heal(project, &from, live)?;
    let old = leftovers::list(project, &from, &live.name, Purpose::Old)?;
    let mut report = RestoreReport { database: live.name.clone(), ..Default::default() };
    if old.is_empty() {
        return Ok(report);
    }
    let mut destruction = project.database_destruction(DbRestore::NAME, live)?;
    destruction.items =
        old.iter().map(|old| format!("the database {} ({})", old.name, ByteSize::new(old.bytes))).collect();
    project.consent(&destruction)?;
    for old in old {
        project.step(format_args!("dropping {}", old.name));
        beside::drop_database(project, &from, &old.name)?;
        report.dropped.push(old.name);
    }
    Ok(report)
}
