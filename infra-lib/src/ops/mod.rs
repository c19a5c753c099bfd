//! The operations, one file each.
//!
//! To add one: write its file here with a type that implements [`Operation`](crate::Operation), and add its line to the
//! table in `cli/commands.rs`.

mod backup;
mod build;
mod clean;
mod db_backup;
mod db_migrate;
mod db_prune;
mod db_reset;
mod db_restore;
mod db_seed;
mod db_shell;
mod db_verify;
mod deploy;
mod describe;
mod df;
mod doctor;
mod drop_previous;
mod env;
mod health;
mod history;
mod init;
mod list_backup_sets;
mod list_backups;
mod list_volume_backups;
mod logs;
pub(crate) mod makefile;
mod policy;
mod ps;
mod release;
mod releases;
mod restart;
mod restore;
mod rollback;
mod rollback_restore;
mod scale;
mod schedule;
mod settled;
mod setup;
mod shell;
mod start;
mod stats;
mod stop;
mod task;
mod tasks;
mod update;
mod volume_backup;
mod volume_restore;

pub use crate::backup::{Format as BackupFormat, Listed, Listing};
pub use crate::compose::{Engine, Stats as ContainerStats};
pub use crate::deploy::{Action as DeployAction, Planned as PlannedService};
pub use crate::dotenv::{Finding as EnvFinding, FindingCode as EnvFindingCode, Origin, Shadowed, Variable};
pub use crate::journal::Entry as JournalEntry;
pub use crate::migrations::{MigrationState, MigrationStatus};
pub use crate::ops::makefile::{FromMakefile, LeftOut, MadeTask, NowCommand};
pub use crate::project::{DatabaseAxis, LocalRecord, Record as SetupRecord, UnreadyContainer};
pub use crate::release::{Commit, PinnedImage, Release as ReleaseManifest, ReleaseFile, ReleaseMount};
pub use crate::report::Severity as EnvSeverity;
pub use crate::schedule::{InvalidWhen, Job, ScheduledJob, When};
pub use crate::stack::launch::ready::ReadyBy;
pub use backup::{Backup, BackupSet, SetReport};
pub use build::{Build, BuildReport, BuiltImage};
pub use clean::{Clean, CleanKind, CleanObject, CleanReport};
pub use db_backup::{BackupReport, DbBackup, DbBackupReport, DbBackupVerify};
pub use db_migrate::{DbMigrate, MigrateAction, MigrateCheck, MigrateReport, MigrateStatus, Migrated};
pub use db_prune::{DbPrune, DbPruneReport, PrunedBackup, PrunedState};
pub use db_reset::{DbReset, ResetReport};
pub use db_restore::{DbRestore, RestoreReport};
pub use db_seed::{DbSeed, SeedReport};
pub use db_shell::{DbShell, DbShellReport};
pub use db_verify::{DbVerify, DbVerifySubset, Verified, VerifyReport};
pub use deploy::{Deploy, DeployOutcome, DeployReport};
pub use describe::{
    Describe, DescribedContainer, DescribedDatabase, DescribedNetwork, DescribedService, DescribedVolume, Description,
    LastBackup,
};
pub use df::{Df, DfReport, DiskUsageKind, DiskUsagePart};
pub use doctor::{Doctor, DoctorReport};
pub use drop_previous::DropPrevious;
pub use env::{
    Env, EnvAction, EnvCheck, EnvExplanation, EnvExported, EnvFilled, EnvPrinted, EnvReport, EnvRotated,
    ExplainedVariable, ExportedVariable, PrintedVariable, SecretOrigin,
};
pub use health::{Health, HealthReport};
pub use history::{History, HistoryReport};
pub use init::{Init, InitReport};
pub use list_backup_sets::{ListBackupSets, ListedSet, SetList};
pub use list_backups::{ListBackups, ListedBackup};
pub use list_volume_backups::{ListVolumeBackups, ListedVolume};
pub use logs::{LogLine, Logs, LogsReport, LogsSince};
pub use policy::{Policy, PolicyReport};
pub use ps::{Ps, PsReport, PsRow};
pub use release::{Release, ReleaseReport};
pub use releases::{ListedRelease, ReleaseList, Releases};
pub use restart::{Restart, RestartReport};
pub use restore::{Restore, SetRestoreReport};
pub use rollback::Rollback;
pub use rollback_restore::RollbackRestore;
pub use scale::{ScaleReport, ScaleServices, ScaledService};
pub use schedule::{
    NewJob, Schedule, ScheduleAction, ScheduleCheck, ScheduleInstalled, SchedulePrinted, ScheduleRan, ScheduleRemoved,
    ScheduleReport,
};
pub use settled::Settled;
pub use setup::{Setup, SetupReport};
pub use shell::{Exec, ExecReport, Shell};
pub use start::{Scale, ServiceState, Start, StartReport};
pub use stats::{Stats, StatsReport};
pub use stop::{Stop, StopReport};
pub use task::{RunTask, TaskReport};
pub use tasks::{TaskList, TaskSummary, Tasks};
pub use update::{Update, UpdateProblem, UpdateReport, UpdatedImage};
pub use volume_backup::{BackedUpVolume, VolumeBackup, VolumeBackups};
pub use volume_restore::{VolumeRestore, VolumeRestoreReport};
