//! Making the ledger agree with the files, when somebody says so.

use std::fmt::Write as _;

use crate::error::Result;
use crate::postgres::Database;
use crate::project::Project;

use super::opened::Opened;
use super::plan::{self, State};
use super::tool::{Book, Tool};
use super::{MigrationError, guard, invalid, up};

/// What was repaired.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    /// Versions whose checksum is now their file's.
    pub(crate) accepted: Vec<String>,
    /// Versions that had failed half way, and are pending again.
    pub(crate) forgotten: Vec<String>,
    /// Versions that were applied and have no file: nothing was done about them.
    pub(crate) missing: Vec<String>,
}

/// Takes over what edited files say, and forgets what failed half way, once nothing invalid is left of it.
pub(crate) fn repair(project: &Project) -> Result<Repaired> {
    let Opened { database, layout, files, ledger, held: _held } = Opened::new(project, up::PATIENCE)?;
    let tool = &*layout.tool;
    let book = tool.book().ok_or(MigrationError::NotOurs { owner: tool.name() })?;
    guard::check(project, tool, &ledger)?;
    let mut repaired = Repaired::default();
    let mut statements = Vec::new();
    let mut items = Vec::new();
    for standing in plan::standings(tool, &files, &ledger) {
        let version = standing.version.to_string();
        match (standing.state, standing.file) {
            (State::Edited | State::LineEnds, Some(file)) => {
                let checksum = tool.checksum(file).unwrap_or_default();
                statements.push(book.correct(file, &checksum));
                items.push(format!("the checksum of {version}"));
                repaired.accepted.push(version);
            }
            (State::Failed, Some(file)) => {
                if let Some(fix) = invalid::indexes(project, &database)?.into_iter().next() {
                    return Err(MigrationError::Invalid { version, fix }.into());
                }
                let before = ledger.rows.range(..standing.version).next_back().map(|(version, _)| version);
                statements.push(book.drop_failed(file, before));
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
    write(project, &database, tool, book, &statements)?;
    Ok(repaired)
}

/// In one transaction, if nobody migrates meanwhile.
fn write(
    project: &Project,
    database: &Database,
    tool: &dyn Tool,
    book: &dyn Book,
    statements: &[String],
) -> Result<()> {
    let (key, table) = (book.lock_key(&database.name), tool.table());
    let mut script = format!(
        "SELECT \
         (SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = to_regclass('{table}')) AS ledger, \
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
