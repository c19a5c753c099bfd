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
    #[error("{path} was changed after it was applied{}", if *.line_ends_only { " (only its line ends differ)" } else { "" })]
    Edited {
        /// The file.
        path: Utf8PathBuf,
        /// Whether line ends alone differ.
        line_ends_only: bool,
    },
    /// A version that was applied has no file.
    #[error("version {version} was applied, and its file is gone")]
    Missing {
        /// The version.
        version: i64,
    },
    /// A version that is older than the newest applied one was never applied.
    #[error("{path} is older than version {newest}, which was applied already")]
    OutOfOrder {
        /// The file.
        path: Utf8PathBuf,
        /// The newest applied version.
        newest: i64,
    },
    /// An earlier attempt failed half way, outside of a transaction.
    #[error("version {version} failed half way, outside of a transaction")]
    Dirty {
        /// The version.
        version: i64,
    },
    /// Somebody else migrates this database.
    #[error("another tool owns the migrations of this database: it has the table {table}")]
    Owned {
        /// That tool's table.
        table: String,
    },
    /// The database holds tables, and nothing says by which migrations.
    #[error("the database has tables, and nothing says which migrations made them")]
    NoLedger,
    /// Another migrator is at work, or the ledger changed while we read it.
    #[error("another migrator is at work on this database")]
    Busy,
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
    /// The server refused a file's SQL.
    #[error("{path} failed: {message}")]
    Failed {
        /// The file.
        path: Utf8PathBuf,
        /// What the server says.
        message: String,
    },
    /// The connection was lost before the server confirmed.
    #[error("the connection was lost while {path} was applied")]
    Lost {
        /// The file.
        path: Utf8PathBuf,
    },
}

impl MigrationError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "name it <VERSION>_<description>.sql, or .up.sql and .down.sql".to_owned(),
            Self::Duplicate { .. } => "give one of them a later version".to_owned(),
            Self::Edited { line_ends_only: true, .. } => {
                "check it out again with the line ends it had (`git config core.autocrlf`)".to_owned()
            }
            Self::Edited { .. } => "restore what it said, and put the change into a new migration".to_owned(),
            Self::Missing { .. } => "check out the branch that has it".to_owned(),
            Self::OutOfOrder { .. } => "give it a version later than that".to_owned(),
            Self::Dirty { .. } => {
                "finish or undo by hand what it did, then correct its row in _sqlx_migrations".to_owned()
            }
            Self::Owned { .. } => {
                "let that tool migrate, and state its commands: `[migrations] service = …, up = […]`".to_owned()
            }
            Self::NoLedger => {
                "if they are what the first migrations make, insert those into _sqlx_migrations".to_owned()
            }
            Self::Busy => "try again when it is done".to_owned(),
            Self::Transaction { .. } => {
                "leave the transaction to us, or begin the file with `-- no-transaction`".to_owned()
            }
            Self::Failed { message, .. } if message.contains("cannot run inside a transaction block") => {
                "begin the file with `-- no-transaction`, and leave that statement alone in it".to_owned()
            }
            Self::Failed { .. } => "nothing of this file was kept; those before it were applied".to_owned(),
            Self::Lost { .. } => "run it again: what was committed is noted, and not applied twice".to_owned(),
        })
    }

    /// What it means as an exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Name { .. } | Self::Duplicate { .. } | Self::Transaction { .. } => Exit::Config,
            Self::Edited { .. } | Self::Missing { .. } | Self::OutOfOrder { .. } => Exit::BadData,
            Self::Owned { .. } | Self::NoLedger => Exit::Refused,
            Self::Busy => Exit::Locked,
            Self::Dirty { .. } => Exit::Partial,
            Self::Failed { .. } => Exit::Failed,
            Self::Lost { .. } => Exit::Unavailable,
        }
    }
}
