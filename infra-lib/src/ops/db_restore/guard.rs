//! What must hold before a database is replaced.

use crate::backup::{BackupError, BackupManifest, scratch_db};
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::postgres::{Database, Place, PostgresError};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::Operation as _;
use crate::report::ago;

use super::source::Source;

/// How much of a database's size must be free to have it twice, in percent.
const ROOM_PERCENT: u64 = 110;

/// An error if the backup is of another project or of another database.
pub(super) fn same_project(project: &Project, live: &Database, manifest: &BackupManifest, allowed: bool) -> Result<()> {
    let name = manifest.database.as_ref().map_or("", |facts| &facts.name);
    // Somebody else's file says nothing of a project, and was asked for by its path.
    let same = manifest.project.is_empty() || (manifest.project == project.name() && name == live.name);
    if same || allowed {
        return Ok(());
    }
    let theirs = format!("the database {name} of {} ({})", manifest.project, manifest.id);
    let ours = format!("the database {} of {}", live.name, project.name());
    Err(BackupError::Foreign { theirs, ours }.into())
}

/// The database from which others are made; where the role may make none, the live one does as well.
pub(super) fn maintenance(project: &Project, live: &Database) -> Result<Database> {
    scratch_db::maintenance(project, live).or_else(|error| match may_exchange(project, live) {
        Ok(false) => Ok(live.clone()),
        Ok(true) | Err(_) => Err(error),
    })
}

/// How big a database is; `None` if there is none.
pub(super) fn size(project: &Project, from: &Database, name: &str) -> Result<Option<u64>> {
    let call = from.psql(project)?.args(["-A", "-t", "-v", &format!("name={name}"), "-f", "-"]);
    let sql = "SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'name';";
    let text = project.runner().read(&call.stdin(sql)).map_err(PostgresError::from_exec)?.text();
    Ok(text.trim().parse().ok())
}

/// An error unless a new database can have this name.
pub(super) fn free_name(project: &Project, from: &Database, name: &str) -> Result<()> {
    Database { name: name.to_owned(), ..from.clone() }.check_names()?;
    if name.is_empty() {
        return Err(Error::new(Exit::Usage, "the name of the database is empty"));
    }
    match size(project, from, name)? {
        None => Ok(()),
        Some(_) => Err(Error::new(Exit::Refused, format!("the database {name} already exists"))
            .with_hint("choose another name, or drop that database first")),
    }
}

/// Asks before the live database is replaced. A database that is marked as another environment's is refused.
pub(super) fn confirm(project: &Project, live: &Database, source: &Source, exists: Option<u64>) -> Result<()> {
    let Some(bytes) = exists else { return Ok(()) };
    let mut destruction = project.database_destruction(super::DbRestore::NAME, live)?;
    let age = ago(source.config().created, jiff::Timestamp::now());
    destruction.items = vec![
        format!(
            "the database {} ({}) will be replaced by {}, {age} old",
            live.name,
            ByteSize::new(bytes),
            source.file()
        ),
        "the previous database is kept until `cargo xtask db-restore --drop-previous`".to_owned(),
    ];
    project.consent(&destruction)
}

/// Whether there is nothing in the live database.
pub(super) fn is_empty(project: &Project, live: &Database) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace <> ALL (ARRAY['pg_catalog', 'pg_toast', 'information_schema']::regnamespace[]));";
    Ok(live.query(project, sql)?.trim() == "t")
}

/// Whether the role may create a database and rename the live one. On many managed servers it may not.
pub(super) fn may_exchange(project: &Project, live: &Database) -> Result<bool> {
    let sql = "SELECT rolsuper OR (rolcreatedb AND pg_has_role(d.datdba, 'USAGE')) \
               FROM pg_roles, pg_database d WHERE rolname = current_user AND d.datname = current_database();";
    Ok(live.query(project, sql)?.trim() == "t")
}

/// An error if the server's disk cannot hold the database twice, if that is known.
pub(super) fn room(project: &Project, manifest: &BackupManifest) -> Result<()> {
    let needed = manifest.database.as_ref().map_or(0, |facts| facts.size).saturating_mul(ROOM_PERCENT) / 100;
    let Some(free) = free(project)? else { return Ok(()) };
    if free >= needed {
        return Ok(());
    }
    let (free, needed) = (ByteSize::new(free), ByteSize::new(needed));
    Err(Error::new(Exit::CannotCreate, format!("the server has {free} free, and the restored database needs {needed}"))
        .with_hint("free some space on the server's disk; the live database is kept until the new one is verified"))
}

/// What the disk of the server's data still has, in bytes.
fn free(project: &Project) -> Result<Option<u64>> {
    match project.database()?.place {
        Place::Service { service, .. } => {
            let container = project.database_container(&service)?;
            let script = r#"df -Pk "${PGDATA:-/var/lib/postgresql}""#;
            let call = crate::exec::Invocation::new("docker").args(["exec", &container.id, "sh", "-c", script]);
            let text = project.runner().read(&call).map(|output| output.text()).unwrap_or_default();
            let blocks = text.lines().last().and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
            Ok(blocks.map(|blocks| blocks.saturating_mul(1024)))
        }
        Place::Local(record) => {
            let disk = rustix::fs::statvfs(project.root().join(record.dir).as_std_path()).ok();
            Ok(disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)))
        }
        Place::Url { .. } => Ok(None),
    }
}
