//! `db-migrate status`

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::exit::Exit;
use crate::migrations::own_tool::OwnTool;
use crate::migrations::owner::Owner;
use crate::migrations::status::Report;
use crate::migrations::{self, MigrationState, MigrationStatus, delegate};
use crate::project::Project;
use crate::project::error::Result;

/// How the migrations stand.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MigrateStatus {
    /// Whose format they have.
    pub tool: &'static str,
    /// Where the files are, below the project's folder.
    pub dir: Utf8PathBuf,
    /// How many are applied.
    pub applied: usize,
    /// How many are pending.
    pub pending: usize,
    /// How many do not agree with the database.
    pub drifted: usize,
    /// What keeps them from being applied, whatever they are.
    pub obstacle: Option<String>,
    /// What the project's own tool says, where only it knows.
    pub told: Vec<String>,
    /// Each of them, in order.
    pub migrations: Vec<MigrationStatus>,
}

pub(super) fn run(project: &Project) -> Result<MigrateStatus> {
    let report = match Owner::for_status(project)? {
        Owner::Native(layout) => migrations::status(project, layout)?,
        Owner::Known(migrations) => migrations.status(project)?,
        Owner::Commands(tool) => return commands(project, &tool),
    };
    let Report { tool, dir, migrations, obstacle, lines: told } = report;
    let count = |states: &[MigrationState]| migrations.iter().filter(|it| states.contains(&it.state)).count();
    Ok(MigrateStatus {
        tool,
        dir,
        applied: count(&[MigrationState::Applied]),
        pending: count(&[MigrationState::Pending]),
        drifted: migrations.len() - count(&[MigrationState::Applied, MigrationState::Pending]),
        obstacle,
        told,
        migrations,
    })
}

fn commands(project: &Project, tool: &OwnTool) -> Result<MigrateStatus> {
    let (told, is_current) = delegate::status(project, tool)?;
    let obstacle = (!is_current).then(|| format!("`{}` reports that migrations are pending", tool.status.join(" ")));
    let (dir, migrations) = (Utf8PathBuf::new(), Vec::new());
    Ok(MigrateStatus { tool: "own", dir, applied: 0, pending: 0, drifted: 0, obstacle, told, migrations })
}

impl MigrateStatus {
    pub(super) fn exit(&self) -> Exit {
        if self.pending + self.drifted > 0 || self.obstacle.is_some() { Exit::CheckFailed } else { Exit::Ok }
    }
}

fn words(state: MigrationState) -> &'static str {
    match state {
        MigrationState::Applied => "applied",
        MigrationState::Pending => "pending",
        MigrationState::OutOfOrder => "pending, older than the newest applied one",
        MigrationState::Edited => "edited after it was applied",
        MigrationState::LineEnds => "applied with other line endings",
        MigrationState::Missing => "applied, its file is missing",
        MigrationState::Failed => "failed partway",
    }
}

impl fmt::Display for MigrateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.migrations.iter().map(|it| it.version.len()).max().unwrap_or_default();
        for migration in &self.migrations {
            let (version, state) = (&migration.version, words(migration.state));
            let on = migration.applied_on.as_deref().and_then(|on| on.split('.').next()).unwrap_or_default();
            let on = if on.is_empty() { String::new() } else { format!(" {on}") };
            writeln!(f, "{version:>width$}  {}  {state}{on}", migration.description)?;
        }
        if !self.told.is_empty() {
            writeln!(f, "{}", self.told.join("\n"))?;
        }
        if self.migrations.is_empty() && !self.told.is_empty() {
            return f.write_str(self.obstacle.as_deref().unwrap_or("up to date"));
        }
        if let Some(obstacle) = &self.obstacle {
            writeln!(f, "{obstacle}")?;
        }
        write!(f, "{} applied, {} pending", self.applied, self.pending)?;
        if self.drifted > 0 {
            write!(f, ", {} with problems", self.drifted)?;
        }
        Ok(())
    }
}
