//! `db-migrate`

pub(super) mod at_start;
mod check;
mod done;
mod status;

use serde::Serialize;

use crate::config::Period;
use crate::exit::Exit;
use crate::migrations::{self, Wanted};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};

pub use check::MigrateCheck;
pub use done::Migrated;
pub use status::MigrateStatus;

/// Apply, revert and check database migrations.
///
/// Each migration is applied once, completely or not at all, in order, by one migrator at a time; a backup comes first
/// unless `infra.toml` says otherwise. The format is sqlx's, so a service may run `sqlx::migrate!()` on the same files.
///
/// Without a subcommand, it applies pending migrations.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbMigrate {
    /// What to do; `None` applies pending migrations.
    #[cfg_attr(feature = "cli", command(subcommand))]
    pub action: Option<MigrateAction>,
}

/// What to do with the migrations.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cli", derive(clap::Subcommand))]
#[non_exhaustive]
pub enum MigrateAction {
    /// Apply pending migrations.
    Up {
        /// Apply up to this version.
        #[cfg_attr(feature = "cli", arg(long, value_name = "VERSION"))]
        to: Option<String>,
        /// Apply at most N migrations.
        #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
        steps: Option<usize>,
        /// Also apply migrations that are older than the newest applied one.
        #[cfg_attr(feature = "cli", arg(long))]
        out_of_order: bool,
        /// How long to wait for other migrators and for locks [default: 60s].
        #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
        timeout: Option<Period>,
    },
    /// Revert the last migration, or more.
    Down {
        /// Revert all migrations after this version; 0 reverts all.
        #[cfg_attr(feature = "cli", arg(long, value_name = "VERSION", conflicts_with = "steps"))]
        to: Option<String>,
        /// Revert N migrations.
        #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
        steps: Option<usize>,
        /// How long to wait for other migrators and for locks [default: 60s].
        #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
        timeout: Option<Period>,
    },
    /// Show applied and pending migrations; exits with 2 if any is pending or does not match.
    Status,
    /// Create the files of a new migration.
    New {
        /// What it does, in a few words.
        name: String,
    },
    /// Run up, down and up again in a scratch database, and compare the schemas.
    Check,
    /// Accept edited migration files and clear partially applied ones.
    Repair,
    /// Mark existing migrations as applied without running them.
    Baseline {
        /// The newest version that the database has [default: what the init scripts created].
        version: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum MigrateReport {
    /// Of everything that changes something.
    Migrated(Migrated),
    /// Of `status`.
    Status(MigrateStatus),
    /// Of `check`.
    Checked(MigrateCheck),
}

impl Operation for DbMigrate {
    const NAME: &'static str = "db-migrate";
    const GROUP: Group = Group::Database;
    type Outcome = MigrateReport;

    fn is_journaled(&self) -> bool {
        !matches!(self.action, Some(MigrateAction::Status | MigrateAction::Check | MigrateAction::New { .. }))
    }

    fn run(&self, project: &Project) -> Result<MigrateReport> {
        let patience = |timeout: &Option<Period>| timeout.map_or(migrations::PATIENCE, Period::duration);
        let migrated = match &self.action {
            Some(MigrateAction::Status) => return Ok(MigrateReport::Status(status::run(project)?)),
            Some(MigrateAction::Check) => return Ok(MigrateReport::Checked(check::run(project)?)),
            None => done::up(project, &Wanted::default())?,
            Some(MigrateAction::Up { to, steps, out_of_order, timeout }) => {
                let (to, steps, patience) = (to.clone(), *steps, patience(timeout));
                done::up(project, &Wanted { to, steps, any_order: *out_of_order, patience })?
            }
            Some(MigrateAction::Down { to, steps, timeout }) => {
                let (to, steps, patience) = (to.clone(), *steps, patience(timeout));
                done::down(project, &Wanted { to, steps, any_order: true, patience })?
            }
            Some(MigrateAction::New { name }) => done::new(project, name)?,
            Some(MigrateAction::Repair) => done::repair(project)?,
            Some(MigrateAction::Baseline { version }) => done::baseline(project, version.as_deref())?,
        };
        Ok(MigrateReport::Migrated(migrated))
    }
}

impl Outcome for MigrateReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Migrated(migrated) => migrated.exit(),
            Self::Status(status) => status.exit(),
            Self::Checked(_) => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self {
            Self::Status(status) if status.exit() != Exit::Ok => vec!["cargo xtask db-migrate".to_owned()],
            Self::Migrated(migrated) if !migrated.written.is_empty() => vec!["cargo xtask db-migrate".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl std::fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Migrated(migrated) => migrated.fmt(f),
            Self::Status(status) => status.fmt(f),
            Self::Checked(checked) => checked.fmt(f),
        }
    }
}
