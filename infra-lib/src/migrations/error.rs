//! Errors of migration operations.

use crate::failure::{ErrorKind, Failure};
use camino::Utf8PathBuf;

use crate::exit::Exit;

/// Why migrations could not be applied, reverted or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MigrationError {
    /// A file's name does not contain a version.
    #[error("{path} has no version in its name")]
    Name {
        /// The file with the invalid name.
        path: Utf8PathBuf,
    },
    /// Two files have the same version.
    #[error("{first} and {second} have the same version")]
    Duplicate {
        /// The first file with the version.
        first: Utf8PathBuf,
        /// The second file with the version.
        second: Utf8PathBuf,
    },
    /// A file changed after it was applied.
    #[error("{path} was changed after it was applied{} (applied: {applied}, now: {now})", if *.line_ends_only { ", only its line ends" } else { "" })]
    Edited {
        /// The changed migration file.
        path: Utf8PathBuf,
        /// Whether only the line endings differ.
        line_ends_only: bool,
        /// The checksum recorded in the ledger.
        applied: String,
        /// The checksum of the current file.
        now: String,
    },
    /// The file of an applied version is missing.
    #[error("version {version} was applied, but its file is missing")]
    Missing {
        /// The version without a file.
        version: String,
    },
    /// An unapplied version is older than the newest applied one.
    #[error("{path} is older than version {newest}, which is already applied")]
    OutOfOrder {
        /// The file of the older version.
        path: Utf8PathBuf,
        /// The newest version that was applied.
        newest: String,
    },
    /// An earlier attempt failed partway, outside a transaction.
    #[error("version {version} failed partway, outside a transaction")]
    Dirty {
        /// The version that failed.
        version: String,
    },
    /// A failed attempt left an invalid index.
    #[error("version {version} failed partway and left an invalid index")]
    Invalid {
        /// The version that failed.
        version: String,
        /// The statement that drops the index.
        fix: String,
    },
    /// The migration cannot be reverted.
    #[error("{path} cannot be reverted")]
    NoDown {
        /// The file that applies the migration.
        path: Utf8PathBuf,
    },
    /// Another tool owns the migrations of this database.
    #[error(
        "another tool owns the migrations of this database: it has the table {table} of {owner}, and the files are {ours}'s"
    )]
    Owned {
        /// The other tool's ledger table.
        table: String,
        /// The name of the other tool.
        owner: &'static str,
        /// The tool that the files belong to.
        ours: &'static str,
    },
    /// The files belong to another tool, which has to do this.
    #[error("the migrations belong to {owner}, which does this itself")]
    NotOurs {
        /// The tool that owns the files.
        owner: &'static str,
        /// The tool's command for it; empty if it has none.
        command: &'static str,
    },
    /// The folder's layout matches no known tool.
    #[error("no known migration tool uses {dir}; looked for:\n{}", looked_for.iter().map(|it| format!("- {it}")).collect::<Vec<_>>().join("\n"))]
    Unrecognised {
        /// The folder with the files.
        dir: Utf8PathBuf,
        /// The files that identify each supported tool.
        looked_for: Vec<&'static str>,
    },
    /// The tool was not found in any of the usual places.
    #[error(
        "{tool} is not installed; looked for `{program}` on this machine (PATH, node_modules/.bin, .venv/bin), in a service ({services}) and in an image (`[migrations] image` in infra.toml names none)"
    )]
    NotInstalled {
        /// The name of the tool.
        tool: &'static str,
        /// The name of its program.
        program: &'static str,
        /// What was found in the project's services.
        services: String,
    },
    /// The tool has no command to revert migrations.
    #[error("{tool} has no command that reverts the newest migration")]
    NoDownCommand {
        /// The name of the tool.
        tool: &'static str,
    },
    /// Another tool's file changed after it was applied.
    #[error("{path} was changed after {tool} applied it")]
    EditedOther {
        /// The name of the tool.
        tool: &'static str,
        /// The changed migration file.
        path: Utf8PathBuf,
        /// The tool's command to accept the change; empty if it has none.
        repair: &'static str,
    },
    /// The tool exited with 0, but its ledger lacks versions that it should have applied.
    #[error("{tool} ended without an error, but {versions} is not in its ledger{}", table.as_ref().map(|it| format!(" {it}")).unwrap_or_default())]
    StillPending {
        /// The name of the tool.
        tool: &'static str,
        /// The versions that are still pending.
        versions: String,
        /// The tool's ledger table, if it exists.
        table: Option<String>,
    },
    /// The database contains tables but no ledger of migrations.
    #[error("the database has tables, and nothing says which migrations made them")]
    NoLedger,
    /// The ledger could not be read or written.
    #[error("the ledger {table} cannot be used: {message}")]
    Ledger {
        /// The name of the ledger table.
        table: String,
        /// The server's error message.
        message: String,
        /// Whether the role lacks the permission.
        refused: bool,
    },
    /// Another migration run is in progress.
    #[error("another migrator is running on this database{}", holder.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Busy {
        /// A description of the other session, if known.
        holder: Option<String>,
    },
    /// Another session holds a lock that the migration needs.
    #[error("{path} waits for a lock that {} holds", holder.as_deref().unwrap_or("another session"))]
    Blocked {
        /// The file that was being applied.
        path: Utf8PathBuf,
        /// A description of the other session, if known.
        holder: Option<String>,
    },
    /// A file would end the transaction that it is applied in.
    #[error("{path}:{line}: `{statement}` would end the transaction that the migration is applied in")]
    Transaction {
        /// The file with the statement.
        path: Utf8PathBuf,
        /// The statement's line, counted from 1.
        line: usize,
        /// The keyword that ends the transaction.
        statement: String,
    },
    /// A statement cannot run inside a transaction, and the file does not opt out of one.
    #[error("{path}:{line}: `{statement}` cannot run inside a transaction")]
    NeedsNoTransaction {
        /// The file with the statement.
        path: Utf8PathBuf,
        /// The statement's line, counted from 1.
        line: usize,
        /// The first words of the statement.
        statement: String,
    },
    /// A file that runs outside a transaction contains more than one statement.
    #[error("{path}:{line}: a second statement, in a file that runs outside a transaction")]
    SeveralStatements {
        /// The file with the statements.
        path: Utf8PathBuf,
        /// The second statement's line, counted from 1.
        line: usize,
    },
    /// The file contains `COPY … FROM stdin` with inline data, which cannot be sent to the server.
    #[error("{path}:{line}: `COPY … FROM STDIN` has no input in a migration")]
    CopyFromStdin {
        /// The file with the statement.
        path: Utf8PathBuf,
        /// The statement's line, counted from 1.
        line: usize,
    },
    /// The server rejected a file's SQL.
    #[error("{path}{}: {message}{}", line.map(|line| format!(":{line}")).unwrap_or_default(), state_suffix(.sqlstate))]
    Failed {
        /// The file that failed.
        path: Utf8PathBuf,
        /// The line that the server reports, or the statement's first line, counted from 1.
        line: Option<usize>,
        /// The server's error message.
        message: String,
        /// The server's `SQLSTATE` error code.
        sqlstate: String,
    },
    /// A file that runs outside a transaction failed.
    #[error("{path} failed outside a transaction, perhaps partway: {message}{}", state_suffix(.sqlstate))]
    HalfWay {
        /// The file that failed.
        path: Utf8PathBuf,
        /// The server's error message.
        message: String,
        /// The server's `SQLSTATE` error code.
        sqlstate: String,
        /// The statements that drop invalid indexes.
        invalid: Vec<String>,
    },
    /// A file ended its transaction in a way that could not be detected beforehand.
    #[error(
        "{path} ended the transaction that it was applied in: some of it is in the database, but it is not recorded"
    )]
    EndedTransaction {
        /// The file that ended the transaction.
        path: Utf8PathBuf,
    },
    /// The connection was lost before the server confirmed, and the migration is not in the ledger.
    #[error("the connection was lost while {path} was running; it was not applied")]
    Lost {
        /// The file that was being applied.
        path: Utf8PathBuf,
    },
    /// Reverting and reapplying migrations leads to a different schema.
    #[error("the schemas differ {between}:\n{difference}")]
    Differs {
        /// The two schemas that were compared.
        between: String,
        /// The lines that only one schema contains.
        difference: String,
    },
}

fn state_suffix(sqlstate: &str) -> String {
    if sqlstate.is_empty() { String::new() } else { format!(" (SQLSTATE {sqlstate})") }
}

impl Failure for MigrationError {
    fn exit(&self) -> Exit {
        match self {
            Self::Name { .. }
            | Self::Duplicate { .. }
            | Self::Transaction { .. }
            | Self::NeedsNoTransaction { .. }
            | Self::SeveralStatements { .. }
            | Self::CopyFromStdin { .. }
            | Self::Unrecognised { .. } => Exit::Config,
            Self::Edited { .. } | Self::EditedOther { .. } | Self::Missing { .. } | Self::OutOfOrder { .. } => {
                Exit::BadData
            }
            Self::NoDown { .. } | Self::NoDownCommand { .. } => Exit::NotFound,
            Self::Owned { .. } | Self::NotOurs { .. } | Self::NoLedger | Self::Ledger { refused: true, .. } => {
                Exit::Refused
            }
            Self::Busy { .. } | Self::Blocked { .. } => Exit::TempFail,
            Self::Dirty { .. } | Self::Invalid { .. } | Self::HalfWay { .. } | Self::EndedTransaction { .. } => {
                Exit::Partial
            }
            Self::Failed { .. } | Self::Ledger { .. } => Exit::Failed,
            Self::Lost { .. } | Self::NotInstalled { .. } => Exit::Unavailable,
            Self::Differs { .. } | Self::StillPending { .. } => Exit::CheckFailed,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } => ErrorKind::Locked,
            _ => self.exit().into(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "name it <VERSION>_<description>.sql, or .up.sql and .down.sql".to_owned(),
            Self::Duplicate { .. } => "give one of them a later version".to_owned(),
            Self::Edited { line_ends_only: true, .. } => {
                "check it out again with the line endings it had (`git config core.autocrlf`), or accept it with `cargo xtask db-migrate repair`".to_owned()
            }
            Self::Edited { .. } => {
                "restore the file, and put the change into a new migration; if it matches what the database \
                 contains, `cargo xtask db-migrate repair` accepts it"
                    .to_owned()
            }
            Self::Missing { .. } => "check out the branch that has it".to_owned(),
            Self::OutOfOrder { .. } => {
                "give it a version later than that, or allow it with `--out-of-order`".to_owned()
            }
            Self::Dirty { .. } => {
                "undo by hand what it has done, then `cargo xtask db-migrate repair`, which makes it pending again".to_owned()
            }
            Self::Invalid { fix, .. } => format!("in `cargo xtask db-shell`: {fix} then repair again"),
            Self::NoDown { .. } => "write its .down.sql, or revert by hand and with a new migration".to_owned(),
            Self::Owned { .. } => {
                "let that tool migrate, and set its commands: `[migrations] service = …, up = […]`; if it is retired, drop its table"
                    .to_owned()
            }
            Self::NotOurs { owner, command: "" } => format!("{owner} has no command for it"),
            Self::NotOurs { command, .. } => format!("run `{command}`"),
            Self::Unrecognised { .. } => {
                "name the tool (`[migrations] tool = …`), or the commands that migrate (`service = …`, `up = […]`)".to_owned()
            }
            Self::NotInstalled { tool, .. } => {
                format!("install {tool}, or name in `[migrations]` of infra.toml a service (`service = …`) or an image (`image = …`) that has it")
            }
            Self::NoDownCommand { .. } => {
                "write a new migration that undoes it, or set commands: `[migrations] up = […]` and `down = […]`".to_owned()
            }
            Self::EditedOther { repair: "", .. } => "restore the file, and put the change into a new migration".to_owned(),
            Self::EditedOther { repair, .. } => {
                format!("restore the file, and put the change into a new migration; `{repair}` accepts it as it is")
            }
            Self::StillPending { .. } => {
                "check that it uses the database of DATABASE_URL, and that it sees the newest files (rebuild or mount them)".to_owned()
            }
            Self::NoLedger => {
                "`cargo xtask db-migrate baseline VERSION` marks all migrations up to that version as applied".to_owned()
            }
            Self::Ledger { .. } => "grant the role the privileges to create and write that table".to_owned(),
            Self::Busy { .. } => "try again when it is done".to_owned(),
            Self::Blocked { .. } => {
                "nothing of this file was applied; try again when that session is done, or end it: SELECT pg_terminate_backend(…)"
                    .to_owned()
            }
            Self::Transaction { .. } => {
                "remove it, since each migration gets its own transaction, or begin the file with `-- no-transaction`".to_owned()
            }
            Self::NeedsNoTransaction { .. } => {
                "begin the file with `-- no-transaction`, with only that statement in it".to_owned()
            }
            Self::SeveralStatements { .. } => {
                "put each statement into its own file, so that a failure leaves nothing else half done".to_owned()
            }
            Self::CopyFromStdin { .. } => "write INSERT statements".to_owned(),
            Self::Failed { .. } => "nothing of this file was applied; those before it were".to_owned(),
            Self::HalfWay { invalid, .. } if invalid.is_empty() => {
                "check what it has done and undo it, then `cargo xtask db-migrate repair`, which makes it pending again".to_owned()
            }
            Self::HalfWay { invalid, .. } => {
                format!("in `cargo xtask db-shell`: {} then `cargo xtask db-migrate repair`", invalid.join(" "))
            }
            Self::EndedTransaction { .. } => {
                "undo by hand what it has done, and take the COMMIT or ROLLBACK out of it".to_owned()
            }
            Self::Lost { .. } => "run it again: what was committed is recorded, and not applied twice".to_owned(),
            Self::Differs { .. } => "make the down file undo all that the up file does, and nothing else".to_owned(),
        })
    }
}
