//! The description of another migration tool.

use camino::Utf8Path;

use super::evidence::{Folder, Match};
use super::files::File;
use crate::project::error::Result;

/// A tool that applies its own migrations.
pub(crate) struct KnownTool {
    pub(crate) name: &'static str,
    /// The name of the program.
    pub(crate) program: &'static str,
    /// Arguments that succeed only if the tool is installed. Empty: the program's existence is enough.
    pub(crate) probe: &'static [&'static str],
    /// The files that identify the tool's folder, for the list in an error.
    pub(crate) looked_for: &'static str,
    pub(crate) recognise: fn(&Folder<'_>) -> Match,
    /// The file that marks the tool's working folder. Empty: the project's folder.
    pub(crate) home: &'static str,
    /// Environment variables for the connection, in addition to libpq's.
    pub(crate) env: &'static [(&'static str, Value)],
    /// Arguments that apply migrations. `{dir}` is the migrations folder, `{home}` the tool's working folder, and
    /// `{url}` the database URL without the password.
    pub(crate) up: &'static [&'static str],
    /// Arguments that revert the newest migration. Empty: the tool cannot revert.
    pub(crate) down: &'static [&'static str],
    /// Arguments that exit with 0 if nothing is pending. Empty: files and ledger are compared instead.
    pub(crate) status: &'static [&'static str],
    /// The tool's commands for operations that this library does not do, for hints.
    pub(crate) own: Own,
    pub(crate) ledger: LedgerTable,
    /// Reads the migrations in order.
    pub(crate) files: fn(&Utf8Path) -> Result<Vec<File>>,
}

/// A tool's own commands.
pub(crate) struct Own {
    pub(crate) new: &'static str,
    pub(crate) baseline: &'static str,
    pub(crate) repair: &'static str,
}

/// The value of an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// The URL with the password.
    Url,
    /// The JDBC URL without user and password.
    JdbcUrl,
    /// The name of the role.
    User,
    /// The role's password.
    Password,
    /// The migrations folder as a Flyway location.
    Location,
}

/// The table in which a tool records applied migrations, in any schema.
pub(crate) struct LedgerTable {
    pub(crate) table: &'static str,
    /// Columns that the table must have.
    pub(crate) has: &'static [&'static str],
    /// Columns that would make it another tool's table.
    pub(crate) lacks: &'static [&'static str],
    /// A query for key, state, checksum and time; `{}` is the table. The state is `t` or `f`, `upto` for this one and
    /// all before it, or `failed-at` for one that failed after all before it.
    pub(crate) rows: &'static str,
    /// Whether rows without a file belong to other packages, rather than to missing files.
    pub(crate) shared: bool,
}

impl std::fmt::Debug for KnownTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
