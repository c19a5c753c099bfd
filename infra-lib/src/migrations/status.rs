//! The status of migrations: applied, pending, inconsistent.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::project::Project;
use crate::project::error::Result;

use super::guard::other_environment;
use super::init_scripts::made_these;
use super::layout::{Layout, Settled};
use super::plan::{self, State};

/// The status of one migration.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// The version, as its tool writes it.
    pub version: String,
    /// The description from the file's name.
    pub description: String,
    /// The state of the version.
    pub state: State,
    /// When it was applied, as the server formats it.
    pub applied_on: Option<String>,
    /// The file's path, relative to the project's folder.
    pub file: Option<Utf8PathBuf>,
}

/// The status of all migrations.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tool: &'static str,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) migrations: Vec<MigrationStatus>,
    /// Why pending migrations cannot be applied here.
    pub(crate) obstacle: Option<String>,
    /// Output of the tool, if only the tool knows the status.
    pub(crate) lines: Vec<String>,
}

/// Reads the status without writing anything.
pub(crate) fn status(project: &Project, layout: Layout) -> Result<Report> {
    let database = project.database()?;
    let Settled { layout, files, ledger } = layout.settle(project, &database)?;
    if let Some(mark) = ledger.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
        return Err(other_environment(project, mark));
    }
    let below = |path: &Utf8PathBuf| path.strip_prefix(project.root()).unwrap_or(path).to_owned();
    let migrations = plan::standings(&layout.sqlx, &files, &ledger).into_iter().map(|standing| MigrationStatus {
        version: standing.version.to_string(),
        description: standing.file.map(|file| file.description.clone()).unwrap_or_default(),
        state: standing.state,
        applied_on: standing.row.map(|row| row.on.clone()).filter(|on| !on.is_empty()),
        file: standing.file.map(|file| below(&file.up.path)),
    });
    let obstacle = if let Some((owner, table)) = ledger.others.first() {
        Some(format!("another tool's ledger is there too: {table} of {owner}"))
    } else if !ledger.exists && ledger.has_tables && made_these(project, &database, &files).is_err() {
        Some("the database has tables, and no ledger that says which migrations made them".to_owned())
    } else {
        None
    };
    let (dir, migrations, lines) = (below(&layout.dir), migrations.collect(), Vec::new());
    Ok(Report { tool: "sqlx", dir, migrations, obstacle, lines })
}
