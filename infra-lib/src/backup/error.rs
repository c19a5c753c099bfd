//! Errors of backup operations.

use crate::failure::{ErrorKind, Failure};
use camino::Utf8PathBuf;

use crate::exec::ExecError;
use crate::exit::Exit;
use crate::postgres::PostgresError;

use super::diagnose::FILE_TOO_LARGE;

/// Why a backup operation failed, or what is wrong with a backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BackupError {
    /// No backup matches the requested name.
    #[error("backup `{name}` not found")]
    NotFound {
        /// The name that was requested.
        name: String,
        /// Existing names that are similar.
        near: Vec<String>,
    },
    /// A manifest cannot be read or parsed.
    #[error("the manifest {file} cannot be used: {reason}")]
    Manifest {
        /// The manifest's file name.
        file: String,
        /// Why the manifest is invalid.
        reason: String,
    },
    /// A newer version of this library wrote the manifest.
    #[error("the manifest {file} has schema {schema}, which this version does not support")]
    Schema {
        /// The manifest's file name.
        file: String,
        /// The manifest's schema version.
        schema: u64,
    },
    /// A backup differs from what its manifest describes.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The damaged file or folder.
        file: String,
        /// What differs from the manifest.
        what: String,
    },
    /// The file is not an archive that can be restored.
    #[error("{file} {what}")]
    Unreadable {
        /// The rejected file or folder.
        file: String,
        /// What the file is instead.
        what: String,
        /// How to turn it into a restorable archive.
        remedy: String,
    },
    /// The archive was written but cannot be decoded.
    #[error("the new archive cannot be decoded: {reason}")]
    Undecodable {
        /// What the decoder reports.
        reason: String,
    },
    /// The dump tool exited with 0, but its output does not end as a complete dump does.
    #[error("the dump is incomplete: {reason}")]
    Incomplete {
        /// Which part is missing.
        reason: String,
    },
    /// The backup folder is not safe to use.
    #[error("{path} {what}")]
    Unsafe {
        /// The backup folder's path.
        path: Utf8PathBuf,
        /// What makes the folder unsafe.
        what: &'static str,
    },
    /// The backup folder was used before, and a different folder is mounted there now.
    #[error("{path} is not the folder of the earlier backups: its marker file is missing")]
    NotMounted {
        /// The backup folder's path.
        path: Utf8PathBuf,
        /// The file that records which folders were used.
        record: Utf8PathBuf,
    },
    /// There is not enough free space.
    #[error("{path} has too little space: {free} free, {needed} needed")]
    NoRoom {
        /// The backup folder's path.
        path: Utf8PathBuf,
        /// The free space, formatted for a message.
        free: String,
        /// The required space, formatted for a message.
        needed: String,
    },
    /// The disk filled up before the backup was complete.
    #[error("{path} is full: {written} written, {free} free")]
    Full {
        /// The backup folder's path.
        path: Utf8PathBuf,
        /// The amount written so far, formatted for a message.
        written: String,
        /// The free space, formatted for a message.
        free: String,
    },
    /// The dump produced no output for too long.
    #[error("nothing was dumped for {} s{}", .after.as_secs(), .state.as_ref().map_or(String::new(), |state| format!("; {state}")))]
    Stalled {
        /// How long there was no output.
        after: std::time::Duration,
        /// What is known to block it.
        state: Option<String>,
    },
    /// The role lacks permission to read everything.
    #[error("the role cannot read the whole database: {message}")]
    Forbidden {
        /// The server's error message.
        message: String,
    },
    /// Another session holds a lock on a table.
    #[error("another session holds a lock on a table: {message}")]
    Blocked {
        /// The blocking session, or the server's message.
        message: String,
    },
    /// The client tools are older or newer than the server.
    #[error("the client tools do not match the server: {message}")]
    Mismatch {
        /// The versions, or the message of the client tools.
        message: String,
        /// The server's major version, if known.
        server: Option<u32>,
    },
    /// A signal killed the client tool.
    #[error("{tool} was killed (signal {signal}){}", if *.signal == 9 { "; out of memory?" } else { "" })]
    Killed {
        /// The name of the killed program.
        tool: String,
        /// The number of the signal.
        signal: i32,
    },
    /// The connection to the container engine was lost.
    #[error("the connection to the Docker engine was lost: {message}")]
    EngineLost {
        /// The engine client's error message.
        message: String,
    },
    /// The server lacks something that the backup needs.
    #[error("this server cannot take the backup: {}", .lacks.join("; "))]
    Unfit {
        /// What is missing, one text per item.
        lacks: Vec<String>,
        /// SQL statements that provide what is missing.
        remedy: Vec<String>,
    },
    /// The role lacks rights that the restore needs.
    #[error("this role cannot restore the backup: {}", .lacks.join("; "))]
    NoRights {
        /// What it may not do, one text per item.
        lacks: Vec<String>,
    },
    /// A restore failed. The database that it was to replace is unchanged.
    #[error("the restore failed: {message}")]
    Restore {
        /// The server's error message.
        message: String,
    },
    /// A received backup needs privileges that the restricted role lacks.
    #[error("the received backup does what it is not allowed to do: {message}")]
    NotAllowed {
        /// The server's error message.
        message: String,
    },
    /// The restored data differs from the backup.
    #[error("the restored data differs from the backup: {what}")]
    Differs {
        /// The first differences found.
        what: String,
    },
    /// The backup is of another project or database.
    #[error("the backup is of {theirs}, but this is {ours}")]
    Foreign {
        /// The project or database of the backup.
        theirs: String,
        /// The database that the restore would replace.
        ours: String,
    },
    /// A row is too large for any dump format.
    #[error("the table {table} has a row that dump formats cannot hold: {message}")]
    TooBig {
        /// The table's name, quoted as SQL.
        table: String,
        /// The server's error message.
        message: String,
    },
    /// Something uses the database, so it could not be swapped or dropped.
    #[error("the database could not be {doing}: {message}{}", users(.used_by))]
    Busy {
        /// What failed: `swapped` or `dropped`.
        doing: &'static str,
        /// The server's error message.
        message: String,
        /// The sessions and other objects that use it, as far as known.
        used_by: Vec<String>,
    },
    /// The connection to the server was lost.
    #[error("the connection to the database was lost: {message}")]
    ConnectionLost {
        /// What is known about the failure.
        message: String,
    },
    /// Any other error from PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl BackupError {
    /// The file that the error is about, or an empty text.
    pub(crate) fn file(&self) -> &str {
        match self {
            Self::Manifest { file, .. }
            | Self::Schema { file, .. }
            | Self::Damaged { file, .. }
            | Self::Unreadable { file, .. } => file,
            _ => "",
        }
    }

    /// Derives the cause from the output of a dump or restore tool.
    pub(crate) fn from_exec(tool: &str, folder: &camino::Utf8Path, error: ExecError) -> Self {
        let said = error.tail();
        let line = |needles: &[&str]| {
            said.lines()
                .find(|line| needles.iter().any(|needle| line.contains(needle)))
                .map(|line| line.trim().to_owned())
        };
        if let Some(message) =
            line(&["row-level security", "permission denied for", "must be owner of", "must be superuser"])
        {
            return Self::Forbidden { message };
        }
        if let Some(message) = line(&["invalid memory alloc request size", "Cannot enlarge string buffer"]) {
            // Example: `pg_dump: detail: Command was: COPY public.files (data) TO stdout;`
            let table = said.split_once("COPY ").and_then(|(_, rest)| Some(rest.split_once(" (")?.0.to_owned()));
            return Self::TooBig { table: table.unwrap_or_default(), message };
        }
        // `--lock-wait-timeout` sets a statement timeout for the `LOCK TABLE` statement.
        let timeout = if said.contains("LOCK TABLE") { "due to statement timeout" } else { "due to lock timeout" };
        if let Some(message) = line(&[timeout, "due to lock timeout", "could not obtain lock"]) {
            return Self::Blocked { message };
        }
        if line(&["No space left on device", "Disk quota exceeded"]).is_some() {
            return no_room(folder);
        }
        if let Some(message) =
            line(&["server version mismatch", "unsupported version", "unrecognized configuration parameter"])
        {
            return Self::Mismatch { message, server: None };
        }
        if let Some(message) = line(&[
            "terminating connection",
            "server closed the connection",
            "could not receive data from server",
            "the database system is shutting down",
            "the database system is in recovery mode",
        ]) {
            return Self::ConnectionLost { message };
        }
        if let Some(message) = line(&[
            "error during connect",
            "Cannot connect to the Docker daemon",
            "unexpected EOF",
            "connection reset by peer",
            "use of closed network connection",
        ]) {
            return Self::EngineLost { message };
        }
        match error {
            ExecError::Exited { code: code @ (137 | 139 | 143), .. } => {
                Self::Killed { tool: tool.to_owned(), signal: code - 128 }
            }
            ExecError::Signalled { signal: FILE_TOO_LARGE, .. } => no_room(folder),
            ExecError::Exited { code, .. } if code == 128 + FILE_TOO_LARGE => no_room(folder),
            ExecError::BadOutput { reason, .. } => Self::Incomplete { reason },
            ExecError::Signalled { signal, .. } => {
                Self::Incomplete { reason: format!("its client was ended by signal {signal}") }
            }
            // Docker's own exit code without any output: the client lost its engine.
            ExecError::Exited { code: 125 | 255, ref tail, .. } if tail.trim().is_empty() => {
                Self::EngineLost { message: "its client ended without a message".to_owned() }
            }
            // No PostgreSQL tool fails silently, so its output was lost on the way.
            ExecError::Exited { code, ref tail, .. } if tail.trim().is_empty() => {
                Self::Incomplete { reason: format!("{tool} ended with exit code {code} and without a message") }
            }
            error => Self::Postgres(PostgresError::from_exec(error)),
        }
    }
}

impl Failure for BackupError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotFound { .. } => Exit::NotFound,
            Self::Manifest { .. }
            | Self::Schema { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. }
            | Self::Mismatch { .. }
            | Self::Unfit { .. }
            | Self::NoRights { .. }
            | Self::Differs { .. } => Exit::BadData,
            Self::Undecodable { .. } | Self::Killed { .. } | Self::Restore { .. } | Self::TooBig { .. } => Exit::Failed,
            Self::Incomplete { .. } | Self::EngineLost { .. } | Self::ConnectionLost { .. } => Exit::Unavailable,
            Self::Unsafe { .. } | Self::Forbidden { .. } | Self::NotAllowed { .. } | Self::Foreign { .. } => {
                Exit::Refused
            }
            Self::NotMounted { .. } => Exit::Config,
            Self::NoRoom { .. } | Self::Full { .. } => Exit::CannotCreate,
            Self::Blocked { .. } | Self::Stalled { .. } | Self::Busy { .. } => Exit::TempFail,
            Self::Postgres(error) => error.exit(),
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
            Self::NotFound { near, .. } if near.is_empty() => "`cargo xtask db-backup --list` lists the backups".to_owned(),
            Self::NotFound { near, .. } => format!("the newest are: {}", near.join(", ")),
            Self::Manifest { .. } | Self::Damaged { .. } => {
                "use another backup (`cargo xtask db-backup --list`), and check this disk".to_owned()
            }
            Self::Schema { .. } => "use the version that created it, or a later one".to_owned(),
            Self::Unreadable { remedy, .. } => remedy.clone(),
            Self::Undecodable { .. } => "no backup was created; check this machine's disk and memory, then try again".to_owned(),
            Self::Incomplete { .. } | Self::ConnectionLost { .. } => "no backup was created; `cargo xtask health` shows the state of the database".to_owned(),
            Self::Unsafe { path, .. } => format!("create a folder with mode 0700 at {path}, or set another one: `[backup] dir` in infra.toml"),
            Self::NotMounted { record, .. } => {
                format!("mount the disk that belongs there; if the backups were removed on purpose, remove {record}")
            }
            Self::NoRoom { .. } | Self::Full { .. } => "free some space: `cargo xtask db-prune` lists the backups that can be deleted".to_owned(),
            Self::Forbidden { .. } => {
                "let it log in as the owner, or grant it pg_read_all_data; row-level security needs a role with BYPASSRLS".to_owned()
            }
            Self::Blocked { .. } | Self::Stalled { .. } => "try again when that is done, or end that session".to_owned(),
            Self::Mismatch { server, .. } => {
                let version = server.map_or_else(|| "VERSION".to_owned(), |major| major.to_string());
                format!(
                    "install the client tools of the server's version; for a managed database, \
                     `client = \"postgres:{version}-alpine\"` in `[database]` of infra.toml uses those of an image"
                )
            }
            Self::Killed { .. } => "no backup was created; check the memory of its host, then try again".to_owned(),
            Self::EngineLost { .. } => "no backup was created; try again when `docker info` answers".to_owned(),
            Self::Unfit { remedy, .. } if remedy.is_empty() => "restore into a server that has them".to_owned(),
            Self::Unfit { remedy, .. } => format!("in SQL: {}", remedy.join(" ")),
            Self::NoRights { .. } => {
                "restore with a login that may: a superuser, or the administrator of a managed server; set it in \
                 `[database]` of infra.toml or in the URL"
                    .to_owned()
            }
            Self::Restore { .. } | Self::Differs { .. } => {
                "the database is unchanged; `cargo xtask db-verify` checks the backup".to_owned()
            }
            Self::NotAllowed { .. } => {
                "a backup from outside the backup folder is restored with an unprivileged role; if you trust its source, copy \
                 it and its manifest into that folder"
                    .to_owned()
            }
            Self::Foreign { .. } => "`--into NAME` restores it into a new database; `--allow-foreign` replaces the database with it".to_owned(),
            Self::TooBig { .. } => {
                "as text a row has at most 1 GiB, which is 512 MiB of bytea; keep such values as large objects or files, or back up the whole \
                 server with pg_basebackup"
                    .to_owned()
            }
            Self::Busy { .. } => "stop what uses the database (`cargo xtask stop SERVICE`), or end its session as the same role or a superuser; \
                                  then try again"
                .to_owned(),
            Self::Postgres(error) => return error.hint(),
        })
    }
}

fn users(used_by: &[String]) -> String {
    if used_by.is_empty() { String::new() } else { format!("; it is used by {}", used_by.join(", ")) }
}

fn no_room(folder: &camino::Utf8Path) -> BackupError {
    let free = super::folder::Folder::open(folder).ok().and_then(|folder| folder.room().ok());
    let free = free.map_or("nothing".to_owned(), |room| crate::config::ByteSize::new(room.bytes).to_string());
    BackupError::NoRoom { path: folder.to_owned(), free, needed: "more".to_owned() }
}
