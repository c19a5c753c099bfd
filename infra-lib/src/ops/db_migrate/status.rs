//! `db-migrate status`

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::error::Result;
use crate::exit::Exit;
use crate::migrations::{self, MigrationState, MigrationStatus, Standing, delegate, own_tool};
use crate::project::Project;

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
    if project.manifest().migrations.dir.is_none()
        && let Some(tool) = own_tool::of(project)
    {
        let (told, is_current) = delegate::status(project, &tool)?;
        let obstacle = (!is_current).then(|| format!("`{}` says no", tool.status.join(" ")));
        let (dir, migrations) = (Utf8PathBuf::new(), Vec::new());
        return Ok(MigrateStatus { tool: "own", dir, applied: 0, pending: 0, drifted: 0, obstacle, told, migrations });
    }
    let Standing { tool, dir, migrations, obstacle } = migrations::status(project)?;
    let count = |states: &[MigrationState]| migrations.iter().filter(|it| states.contains(&it.state)).count();
    Ok(MigrateStatus {
        tool,
        dir,
        applied: count(&[MigrationState::Applied]),
        pending: count(&[MigrationState::Pending]),
        drifted: migrations.len() - count(&[MigrationState::Applied, MigrationState::Pending]),
        obstacle,
        told: Vec::new(),
        migrations,
    })
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
        MigrationState::OutOfOrder => "pending, older than what was applied",
        MigrationState::Edited => "edited after it was applied",
        MigrationState::LineEnds => "applied with other line ends",
        MigrationState::Missing => "applied, its file is gone",
        MigrationState::Failed => "failed half way",
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
            return f.write_str(&self.told.join("\n"));
        }
        if let Some(obstacle) = &self.obstacle {
            writeln!(f, "{obstacle}")?;
        }
        write!(f, "{} applied, {} pending", self.applied, self.pending)?;
        if self.drifted > 0 {
            write!(f, ", {} to look at", self.drifted)?;
        }
        Ok(())
    }
}
