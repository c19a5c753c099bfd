//! The table of commands: one line each.

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
        entry::<ops::DbShell>(),
        entry::<ops::DbBackup>(),
        entry::<ops::DbVerify>(),
        entry::<ops::DbPrune>(),
        entry::<ops::DbRestore>(),
        entry::<ops::DbMigrate>(),
        entry::<ops::DbSeed>(),
        entry::<ops::DbReset>(),
        entry::<ops::Backup>(),
        entry::<ops::Restore>(),
        entry::<ops::VolumeBackup>(),
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

/// The operation of this name.
pub(super) fn find(name: &str) -> Option<Entry> {
    all().into_iter().find(|entry| entry.name == name)
}
