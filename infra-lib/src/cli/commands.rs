//! The table of commands: one line each.

use clap::Arg;

use crate::ops;

use super::entry::{Entry, entry};

/// Every operation of the library, in the order of the help.
pub(super) fn all() -> Vec<Entry> {
    vec![
        entry::<ops::Setup>(),
        entry::<ops::Start>(),
        entry::<ops::Stop>(),
        entry::<ops::Restart>(),
        entry::<ops::ScaleServices>(),
        entry::<ops::Build>(),
        entry::<ops::Update>(),
        entry::<ops::Ps>(),
        entry::<ops::Logs>(),
        entry::<ops::Stats>(),
        entry::<ops::Df>(),
        entry::<ops::Shell>(),
        entry::<ops::Exec>(),
        entry::<ops::Health>(),
        entry::<ops::Clean>(),
        entry::<ops::Release>(),
        entry::<ops::Deploy>(),
        entry::<ops::Rollback>(),
        entry::<ops::Releases>(),
        entry::<ops::DbShell>(),
        entry::<ops::DbBackup>()
            .mode::<ops::ListBackups>(list().conflicts_with_all(["name", "format", "jobs", "verify"])),
        entry::<ops::DbVerify>(),
        entry::<ops::DbPrune>(),
        entry::<ops::DbRestore>().mode::<ops::RollbackRestore>(rollback()).mode::<ops::DropPrevious>(drop_previous()),
        entry::<ops::DbMigrate>(),
        entry::<ops::DbSeed>(),
        entry::<ops::DbReset>(),
        entry::<ops::Backup>().mode::<ops::ListBackupSets>(list()),
        entry::<ops::Restore>(),
        entry::<ops::VolumeBackup>().mode::<ops::ListVolumeBackups>(list().conflicts_with("name")),
        entry::<ops::VolumeRestore>(),
        entry::<ops::Schedule>(),
        entry::<ops::Init>(),
        entry::<ops::Doctor>(),
        entry::<ops::Env>(),
        entry::<ops::Policy>(),
        entry::<ops::Describe>(),
        entry::<ops::History>(),
        entry::<ops::Tasks>(),
    ]
}

fn list() -> Arg {
    Arg::new("list").long("list")
}

fn rollback() -> Arg {
    Arg::new("rollback").long("rollback").alias("undo").conflicts_with_all(["backup", "into", "drop_previous"])
}

fn drop_previous() -> Arg {
    Arg::new("drop_previous").long("drop-previous").alias("finish").conflicts_with_all(["backup", "into"])
}

/// The operation of this name.
pub(super) fn find(name: &str) -> Option<Entry> {
    all().into_iter().find(|entry| entry.name == name)
}

/// Commands that were added after 0.1. A task that already had such a name keeps it, and hides the command.
const YOUNGER: [&str; 4] = ["release", "deploy", "rollback", "releases"];

/// The names that no task can have.
pub(super) fn names() -> Vec<&'static str> {
    let older = all().into_iter().map(|entry| entry.name).filter(|name| !YOUNGER.contains(name));
    older.chain(["completions", "help"]).collect()
}

/// Whether a task of this name hides a command.
pub(super) fn is_hidden_by_task(name: &str) -> bool {
    YOUNGER.contains(&name)
}
