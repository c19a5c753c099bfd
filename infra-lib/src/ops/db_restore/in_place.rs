//! Where the role may neither create nor rename databases: a restore in the live one, in one transaction.

use std::time::Duration;

use sha2::Digest as _;

use crate::backup::Format;
use crate::backup::make::BackupJob;
use crate::backup::name::BEFORE_RESTORE;
use crate::config::DumpFormat;
use crate::exit::Exit;
use crate::hex;
use crate::postgres::{Database, Toolbox};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::Operation as _;

use super::source::Source;
use super::{DbRestore, RestoreReport};

/// Backs up what is there, then replaces it in one transaction: it is all there or nothing has changed. It is weaker than an
/// swap: its tables are locked meanwhile, what the backup does not have stays, and the comparison comes afterwards.
pub(super) fn run(project: &Project, live: &Database, source: &Source) -> Result<RestoreReport> {
    if source.config().format == Format::Sql {
        let what = "plain SQL cannot replace the content in one transaction, and this role cannot create databases";
        return Err(Error::new(Exit::Refused, what).with_hint(
            "restore an archive (`cargo xtask db-backup --format custom`), or use a role that can create databases",
        ));
    }
    if source.is_received() {
        let what = "a received backup is restored with an unprivileged role, and this role cannot create databases";
        return Err(Error::new(Exit::Refused, what).with_hint("use a role that can create databases and roles"));
    }
    project.warn(
        "this role cannot create and rename databases: the restore happens in place, in one transaction. The tables are locked \
         meanwhile, and objects that are not in the backup stay",
    );
    check_locks(project, live, source)?;
    let making = BackupJob {
        operation: DbRestore::NAME,
        label: Some(BEFORE_RESTORE),
        set: None,
        format: DumpFormat::Custom,
        jobs: 1,
        lock_wait: Duration::from_secs(60),
        stall: Duration::from_secs(120),
    };
    let Some(safety) = making.run(project)? else { return Ok(RestoreReport::default()) };
    let toolbox = Toolbox::new(project, live, source.folder().path(), format!("infra-restore-{}", place(project)))?;
    // One that was killed would go on, and commit.
    toolbox.sweep();
    let filling = source.filling(project, &toolbox, 1, None);
    project.step(format_args!("restoring {} in place", source.file()));
    filling.restore(live, &["--single-transaction", "--clean", "--if-exists", "--no-owner"])?;
    filling.compare(live).map_err(|error| {
        Error::new(Exit::Partial, format!("the restore was committed, but then failed: {error}"))
            .with_hint(format!("`cargo xtask db-restore {}` restores the previous content", safety.manifest.id))
    })?;
    Ok(RestoreReport { safety_backup: Some(safety.path.into_string()), ..source.report(&live.name) })
}

/// Identifies this root on this machine: the holder of its lock may end only the sessions that its earlier runs left.
fn place(project: &Project) -> String {
    let mut hash = sha2::Sha256::new();
    hash.update(rustix::system::uname().nodename().to_bytes());
    hash.update(project.root().as_str());
    hex::encode(&hash.finalize()[..8])
}

/// One transaction holds a lock on everything that it touches.
fn check_locks(project: &Project, live: &Database, source: &Source) -> Result<()> {
    let objects: u64 = source.config().objects.values().fold(0, |sum, count| sum.saturating_add(*count));
    let sql = "SELECT current_setting('max_locks_per_transaction')::bigint \
               * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint);";
    let locks: u64 = live.query(project, sql)?.trim().parse().unwrap_or(u64::MAX);
    let needed = objects.saturating_mul(2);
    if needed <= locks {
        return Ok(());
    }
    Err(Error::new(
        Exit::Refused,
        format!("a restore in one transaction needs about {needed} locks, and the server has {locks}"),
    )
    .with_hint("raise max_locks_per_transaction, or use a role that can create databases"))
}
