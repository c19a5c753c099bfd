//! What is applied, what is pending, and what does not agree.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::error::Result;
use crate::project::Project;

use super::guard::other_environment;
use super::layout::{Layout, Settled};
use super::plan::{self, State};

/// How one migration stands.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its version.
    pub version: String,
    /// What its name says.
    pub description: String,
    /// How it stands.
    pub state: State,
    /// When it was applied, in the server's words.
    pub applied_on: Option<String>,
    /// Its file, below the project's folder.
    pub file: Option<Utf8PathBuf>,
}

/// How all of them stand.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) tool: &'static str,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) migrations: Vec<MigrationStatus>,
    /// What keeps them from being applied here, whatever they are.
    pub(crate) obstacle: Option<String>,
}

/// Reads it; nothing is written.
pub(crate) fn status(project: &Project) -> Result<Standing> {
    let layout = Layout::find(project)?;
    let database = project.database()?;
    let Settled { layout, files, ledger } = layout.settle(project, &database)?;
    if let Some(mark) = ledger.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
        return Err(other_environment(project, mark));
    }
    let below = |path: &Utf8PathBuf| path.strip_prefix(project.root()).unwrap_or(path).to_owned();
    let migrations = plan::standings(&*layout.tool, &files, &ledger).into_iter().map(|standing| MigrationStatus {
        version: standing.version.to_string(),
        description: standing.file.map(|file| file.description.clone()).unwrap_or_default(),
        state: standing.state,
        applied_on: standing.row.map(|row| row.on.clone()).filter(|on| !on.is_empty()),
        file: standing.file.map(|file| below(&file.up.path)),
    });
    let obstacle = if let Some((owner, table)) = ledger.others.first() {
        Some(format!("another tool's ledger is there too: {table} of {owner}"))
    } else if !ledger.exists && ledger.has_tables {
        Some("the database has tables, and no ledger that says which migrations made them".to_owned())
    } else {
        None
    };
    Ok(Standing { tool: layout.tool.name(), dir: below(&layout.dir), migrations: migrations.collect(), obstacle })
}
