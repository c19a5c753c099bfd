//! What can be wrong with migrations.

use camino::Utf8PathBuf;

use crate::exit::Exit;

/// Why migrations were not applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A file's name does not say its version.
    #[error("{path} has no version in its name")]
    Name {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Two files have one version.
    #[error("{first} and {second} have the same version")]
    Duplicate {
        /// The one.
        first: Utf8PathBuf,
        /// The other.
        second: Utf8PathBuf,
    },
    /// A file that was applied says something else now.
    #[error("{path} was changed after it was applied{} (applied: {applied}, now: {now})", if *.line_ends_only { ", only its line ends" } else { "" })]
    Edited {
        /// The file.
        path: Utf8PathBuf,
        /// Whether line ends alone differ.
        line_ends_only: bool,
        /// The checksum of what was applied.
        applied: String,
        /// The checksum of what the file says.
        now: String,
    },
    /// A version that was applied has no file.
    #[error("version {version} was applied, and its file is gone")]
    Missing {
        /// The version.
        version: String,
    },
    /// A version that is older than the newest applied one was never applied.
    #[error("{path} is older than version {newest}, which was applied already")]
    OutOfOrder {
        /// The file.
        path: Utf8PathBuf,
        /// The newest applied version.
        newest: String,
    },
    /// An earlier attempt failed half way, outside of a transaction.
    #[error("version {version} failed half way, outside of a transaction")]
    Dirty {
        /// The version.
        version: String,
    },
    /// What failed half way has left an index that nobody uses.
    #[error("version {version} failed half way and has left an invalid index")]
    Invalid {
        /// The version.
        version: String,
        /// The statement that removes it.
        fix: String,
    },
    /// A file says nothing of how to go up.
    #[error("{path} has no block `-- migrate:up`")]
    NoUp {
        /// The file.
        path: Utf8PathBuf,
    },
    /// There is no way down.
    #[error("nothing reverts {path}")]
    NoDown {
        /// The file that leads up.
        path: Utf8PathBuf,
    },
    /// Somebody else migrates this database.
    #[error(
        "another tool owns the migrations of this database: it has the table {table} of {owner}, and the files are {ours}'s"
    )]
    Owned {
        /// That tool's table.
        table: String,
        /// That tool.
        owner: &'static str,
        /// The tool whose files there are.
        ours: &'static str,
    },
    /// The files are of a tool whose work we leave to it.
    #[error("the migrations are {owner}'s, which has to apply them itself")]
    NotOurs {
        /// The tool.
        owner: &'static str,
    },
    /// The database holds tables, and nothing says by which migrations.
    #[error("the database has tables, and nothing says which migrations made them")]
    NoLedger,
    /// The ledger could not be read or written.
    #[error("the ledger {table} cannot be used: {message}")]
    Ledger {
        /// The table.
        table: String,
        /// What the server says.
        message: String,
        /// Whether for want of a right.
        refused: bool,
    },
    /// Another migrator is at work.
    #[error("another migrator is at work on this database{}", holder.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Busy {
        /// Whose session that is.
        holder: Option<String>,
    },
    /// Somebody else has locked what was to be changed.
    #[error("{path} waits for a lock that {} holds", holder.as_deref().unwrap_or("another session"))]
    Blocked {
        /// The file.
        path: Utf8PathBuf,
        /// Whose session that is.
        holder: Option<String>,
    },
    /// A file would end the transaction that it is applied in.
    #[error("{path}:{line}: `{statement}` would end the transaction that the migration is applied in")]
    Transaction {
        /// The file.
        path: Utf8PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The word.
        statement: String,
    },
    /// A statement cannot run inside of a transaction, and the file does not ask for none.
    #[error("{path}:{line}: `{statement}` cannot run inside of a transaction")]
    NeedsNoTransaction {
        /// The file.
        path: Utf8PathBuf,
        /// Its line, from 1.
        line: usize,
        /// Its first words.
        statement: String,
    },
    /// A file that runs outside of a transaction holds more than one statement.
    #[error("{path}:{line}: a second statement, in a file that runs outside of a transaction")]
    SeveralStatements {
        /// The file.
        path: Utf8PathBuf,
        /// The second one's line, from 1.
        line: usize,
    },
    /// Data follows in the file, which no server reads from there.
    #[error("{path}:{line}: `COPY … FROM STDIN` has no input in a migration")]
    CopyFromStdin {
        /// The file.
        path: Utf8PathBuf,
        /// Its line, from 1.
        line: usize,
    },
    /// The server refused a file's SQL.
    #[error("{path}{}: {message}{}", line.map(|line| format!(":{line}")).unwrap_or_default(), state_suffix(.sqlstate))]
    Failed {
        /// The file.
        path: Utf8PathBuf,
        /// The line of the statement, or where the server points at, from 1.
        line: Option<usize>,
        /// What the server says.
        message: String,
        /// `SQLSTATE`.
        sqlstate: String,
    },
    /// A file that runs outside of a transaction failed.
    #[error("{path} failed outside of a transaction, perhaps half way: {message}{}", state_suffix(.sqlstate))]
    HalfWay {
        /// The file.
        path: Utf8PathBuf,
        /// What the server says.
        message: String,
        /// `SQLSTATE`.
        sqlstate: String,
        /// The statements that remove invalid indexes.
        invalid: Vec<String>,
    },
    /// A file has ended its transaction in a way that could not be seen before.
    #[error("{path} ended the transaction that it was applied in: some of it is in the database, and it is not noted")]
    EndedTransaction {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The connection was lost before the server confirmed, and what was under way is not in the ledger.
    #[error("the connection was lost while {path} was under way; it was not applied")]
    Lost {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Up and down again do not lead to the same schema.
    #[error("the schemas differ {between}:\n{difference}")]
    Differs {
        /// Between what.
        between: String,
        /// Lines that only one of them has.
        difference: String,
    },
}

fn state_suffix(sqlstate: &str) -> String {
    if sqlstate.is_empty() { String::new() } else { format!(" (SQLSTATE {sqlstate})") }
}

impl MigrationError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "name it <VERSION>_<description>.sql, or .up.sql and .down.sql".to_owned(),
            Self::NoUp { .. } => "begin what is to be applied with that line".to_owned(),
            Self::Duplicate { .. } => "give one of them a later version".to_owned(),
            Self::Edited { line_ends_only: true, .. } => {
                "check it out again with the line ends it had (`git config core.autocrlf`), or accept it with `cargo xtask db-migrate repair`".to_owned()
            }
            Self::Edited { .. } => {
                "restore what it said, and put the change into a new migration; if what it says now is what the database \
                 has, `cargo xtask db-migrate repair` accepts it"
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
                "let that tool migrate, and state its commands: `[migrations] service = …, up = […]`; if it is retired, drop its table"
                    .to_owned()
            }
            Self::NotOurs { .. } => "state its commands in infra.toml: `[migrations] service = …, up = […]`".to_owned(),
            Self::NoLedger => {
                "`cargo xtask db-migrate baseline VERSION` notes them as made by all migrations up to that version".to_owned()
            }
            Self::Ledger { .. } => "the role needs the right to create and write that table".to_owned(),
            Self::Busy { .. } => "try again when it is done".to_owned(),
            Self::Blocked { .. } => {
                "nothing of this file was kept; try again when that session is done, or end it: SELECT pg_terminate_backend(…)"
                    .to_owned()
            }
            Self::Transaction { .. } => {
                "leave the transaction to us, or begin the file with `-- no-transaction`".to_owned()
            }
            Self::NeedsNoTransaction { .. } => {
                "begin the file with `-- no-transaction`, and leave that statement alone in it".to_owned()
            }
            Self::SeveralStatements { .. } => {
                "give each statement a file of its own: one that fails then leaves nothing else half done".to_owned()
            }
            Self::CopyFromStdin { .. } => "write INSERT statements".to_owned(),
            Self::Failed { .. } => "nothing of this file was kept; those before it were applied".to_owned(),
            Self::HalfWay { invalid, .. } if invalid.is_empty() => {
                "see what it has done and undo it, then `cargo xtask db-migrate repair`, which makes it pending again".to_owned()
            }
            Self::HalfWay { invalid, .. } => {
                format!("in `cargo xtask db-shell`: {} then `cargo xtask db-migrate repair`", invalid.join(" "))
            }
            Self::EndedTransaction { .. } => {
                "undo by hand what it has done, and take the COMMIT or ROLLBACK out of it".to_owned()
            }
            Self::Lost { .. } => "run it again: what was committed is noted, and not applied twice".to_owned(),
            Self::Differs { .. } => "make the way down undo all that the way up does, and nothing else".to_owned(),
        })
    }

    /// What it means as an exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Name { .. }
            | Self::Duplicate { .. }
            | Self::NoUp { .. }
            | Self::Transaction { .. }
            | Self::NeedsNoTransaction { .. }
            | Self::SeveralStatements { .. }
            | Self::CopyFromStdin { .. } => Exit::Config,
            Self::Edited { .. } | Self::Missing { .. } | Self::OutOfOrder { .. } => Exit::BadData,
            Self::NoDown { .. } => Exit::NotFound,
            Self::Owned { .. } | Self::NotOurs { .. } | Self::NoLedger | Self::Ledger { refused: true, .. } => {
                Exit::Refused
            }
            Self::Busy { .. } | Self::Blocked { .. } => Exit::Locked,
            Self::Dirty { .. } | Self::Invalid { .. } | Self::HalfWay { .. } | Self::EndedTransaction { .. } => {
                Exit::Partial
            }
            Self::Failed { .. } | Self::Ledger { .. } => Exit::Failed,
            Self::Lost { .. } => Exit::Unavailable,
            Self::Differs { .. } => Exit::CheckFailed,
        }
    }
}
