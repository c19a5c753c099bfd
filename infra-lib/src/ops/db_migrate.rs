//! `db-migrate`

mod check;
mod done;
mod status;

use serde::Serialize;

use crate::error::Result;
use crate::exit::Exit;
use crate::manifest::Period;
use crate::migrations::{self, Wanted};
use crate::operation::{Group, Operation, Outcome};
use crate::project::Project;

pub use check::MigrateCheck;
pub use done::Migrated;
pub use status::MigrateStatus;

/// Apply, revert and look after the migrations of the database.
///
/// Each happens once, wholly or not at all, in order, by one migrator at a time; a backup comes first unless `infra.toml`
/// says otherwise. The format is sqlx's, so that a service may run `sqlx::migrate!()` on the same files.
///
/// Without a subcommand it applies what is pending.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbMigrate {
    /// What to do.
    #[cfg_attr(feature = "cli", command(subcommand))]
    pub action: Option<MigrateAction>,
}

/// What to do with the migrations.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cli", derive(clap::Subcommand))]
#[non_exhaustive]
pub enum MigrateAction {
    /// Apply what is pending.
    Up {
        /// Up to this version.
        #[cfg_attr(feature = "cli", arg(long, value_name = "VERSION"))]
        to: Option<String>,
        /// At most so many.
        #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
        steps: Option<usize>,
        /// Also those that are older than what was applied.
        #[cfg_attr(feature = "cli", arg(long))]
        out_of_order: bool,
        /// How long to wait for other migrators and for locks [default: 60s].
        #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
        timeout: Option<Period>,
    },
    /// Revert the last one, or more.
    Down {
        /// All that are later than this version; 0 for all.
        #[cfg_attr(feature = "cli", arg(long, value_name = "VERSION", conflicts_with = "steps"))]
        to: Option<String>,
        /// So many.
        #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
        steps: Option<usize>,
        /// How long to wait for other migrators and for locks [default: 60s].
        #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
        timeout: Option<Period>,
    },
    /// Say what is applied and what is pending; 2 where something is pending or does not agree.
    Status,
    /// Write the files of a new one.
    New {
        /// What it does, in a few words.
        name: String,
    },
    /// Try up, down and up again in a throw-away database, and compare the schemas.
    Check,
    /// Accept what edited files say, and forget what failed half way.
    Repair,
    /// Note as applied what the database holds already.
    Baseline {
        /// The newest version that it holds [default: what the init scripts made].
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
