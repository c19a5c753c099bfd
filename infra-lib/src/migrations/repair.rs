//! Makes the ledger agree with the files, on request.

use std::fmt::Write as _;

use crate::postgres::{Database, catalog};
use crate::project::Project;
use crate::project::error::Result;

use super::context::Opened;
use super::layout::Layout;
use super::plan::{self, State};
use super::tools::sqlx::Sqlx;
use super::{MigrationError, guard, invalid, up};

/// The result of a repair.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    /// Versions whose recorded checksum was updated from the file.
    pub(crate) accepted: Vec<String>,
    /// Versions that had failed partway and are pending again.
    pub(crate) forgotten: Vec<String>,
    /// Applied versions without a file, which were left unchanged.
    pub(crate) missing: Vec<String>,
}

/// Accepts edited files, and clears partially applied versions once no invalid index is left.
pub(crate) fn repair(project: &Project) -> Result<Repaired> {
    let layout = Layout::find(project, |own| own.repair)?;
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, layout, up::PATIENCE)?;
    let sqlx = &layout.sqlx;
    guard::check(project, &ledger)?;
    let mut repaired = Repaired::default();
    let mut statements = Vec::new();
    let mut items = Vec::new();
    for standing in plan::standings(sqlx, &files, &ledger) {
        let version = standing.version.to_string();
        match (standing.state, standing.file) {
            (State::Edited | State::LineEnds, Some(file)) => {
                let checksum = sqlx.checksum(file);
                statements.push(Sqlx::correct(file, &checksum));
                items.push(format!("the checksum of {version}"));
                repaired.accepted.push(version);
            }
            (State::Failed, Some(file)) => {
                if let Some(fix) = invalid::indexes(project, &database)?.into_iter().next() {
                    return Err(MigrationError::Invalid { version, fix }.into());
                }
                statements.push(Sqlx::forget(file));
                items.push(format!("the failure of {version}, which becomes pending"));
                repaired.forgotten.push(version);
            }
            (State::Missing | State::Failed, _) => repaired.missing.push(version),
            _ => {}
        }
    }
    if statements.is_empty() {
        return Ok(repaired);
    }
    guard::agree(project, items)?;
    write(project, &database, sqlx, &statements)?;
    Ok(repaired)
}

/// Updates the ledger in one transaction, unless another run is migrating.
fn write(project: &Project, database: &Database, sqlx: &Sqlx, statements: &[String]) -> Result<()> {
    let (key, ledger) = (Sqlx::lock_key(&database.name), catalog::qualified(sqlx.table(), "ledger"));
    let mut script = format!(
        "SELECT \
         ({ledger}) AS ledger, \
         pg_try_advisory_lock({key}) AS free \\gset\n\\if :free\n\\else\n\\echo busy\n\\quit\n\\endif\nBEGIN;\n"
    );
    for statement in statements {
        let _ = writeln!(script, "{statement};");
    }
    script += "COMMIT;\n";
    let call = database.psql(project)?.args(["-A", "-t", "-f", "-"]).stdin(script);
    match Database::execute(project, &call)? {
        Some(output) if output.text() == "busy" => Err(MigrationError::Busy { holder: None }.into()),
        _ => Ok(()),
    }
}
