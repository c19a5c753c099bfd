//! What can be wrong with a backup.

use camino::Utf8PathBuf;

use crate::exec::ExecError;
use crate::exit::Exit;
use crate::postgres::PostgresError;

use super::diagnose::FILE_TOO_LARGE;

/// Why there is no backup, or why one is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is no such backup.
    #[error("there is no backup `{name}`")]
    NotFound {
        /// What was asked for.
        name: String,
        /// What there is that is near to it.
        near: Vec<String>,
    },
    /// A manifest cannot be read.
    #[error("the manifest {file} cannot be used: {reason}")]
    Manifest {
        /// Its name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A manifest of a later version of this library.
    #[error("the manifest {file} is of schema {schema}, which this version does not know")]
    Schema {
        /// Its name.
        file: String,
        /// Its version.
        schema: u64,
    },
    /// A backup is not as it was when it was made.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file or folder.
        file: String,
        /// What differs.
        what: String,
    },
    /// A file is not what can be restored.
    #[error("{file} {what}")]
    Unreadable {
        /// The file or folder.
        file: String,
        /// What it is instead.
        what: String,
        /// What makes it one.
        remedy: String,
    },
    /// The archive was made, and cannot be read back.
    #[error("the archive that was made cannot be decoded: {reason}")]
    Undecodable {
        /// What its reader says.
        reason: String,
    },
    /// The program that dumps ended well, and what it wrote did not end as it should.
    #[error("the dump is incomplete: {reason}")]
    Incomplete {
        /// What is missing.
        reason: String,
    },
    /// The folder of backups is not a safe place.
    #[error("{path} {what}")]
    Unsafe {
        /// The folder.
        path: Utf8PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The folder of backups was in use, and now it is another one.
    #[error("{path} is not the folder that earlier backups are in: its marker file is missing")]
    NotMounted {
        /// The folder.
        path: Utf8PathBuf,
        /// Where it is remembered.
        record: Utf8PathBuf,
    },
    /// There is too little room.
    #[error("{path} has too little room: {free} free, {needed} needed")]
    NoRoom {
        /// The folder.
        path: Utf8PathBuf,
        /// What is free, in words.
        free: String,
        /// What is needed, in words.
        needed: String,
    },
    /// The disk was full before everything was written.
    #[error("{path} is full: {written} written, {free} free")]
    Full {
        /// The folder.
        path: Utf8PathBuf,
        /// How much was written, in words.
        written: String,
        /// What is free, in words.
        free: String,
    },
    /// Nothing was written for too long.
    #[error("nothing was dumped for {} s{}", .after.as_secs(), .state.as_ref().map_or(String::new(), |state| format!("; {state}")))]
    Stalled {
        /// For how long.
        after: std::time::Duration,
        /// What is known to be in its way.
        state: Option<String>,
    },
    /// The role may not read everything.
    #[error("the role may not read all of the database: {message}")]
    Forbidden {
        /// What the server says.
        message: String,
    },
    /// Somebody holds a lock on a table.
    #[error("somebody holds a lock on a table: {message}")]
    Blocked {
        /// Who, or what the server says.
        message: String,
    },
    /// The client tools are older than the server.
    #[error("the client tools do not fit the server: {message}")]
    Mismatch {
        /// What they say.
        message: String,
    },
    /// The client was killed.
    #[error("{tool} was killed (signal {signal}){}", if *.signal == 9 { "; out of memory?" } else { "" })]
    Killed {
        /// The program.
        tool: String,
        /// The signal.
        signal: i32,
    },
    /// The engine went away.
    #[error("the Docker engine was lost: {message}")]
    EngineLost {
        /// What its client says.
        message: String,
    },
    /// The server cannot take what the backup holds.
    #[error("this server cannot take the backup: {}", .lacks.join("; "))]
    Unfit {
        /// What it lacks, each in words.
        lacks: Vec<String>,
        /// The SQL that would change it.
        remedy: Vec<String>,
    },
    /// A restore failed; the database that it was to replace is untouched.
    #[error("the restore failed: {message}")]
    Restore {
        /// What the server says.
        message: String,
    },
    /// What was restored is not what was backed up.
    #[error("what was restored is not what was backed up: {what}")]
    Differs {
        /// The first differences.
        what: String,
    },
    /// The backup is of another project or database.
    #[error("the backup is of {theirs}, and this is {ours}")]
    Foreign {
        /// What it is of.
        theirs: String,
        /// What it would replace.
        ours: String,
    },
    /// A row that no dump can hold.
    #[error("the table {table} has a row that dump formats cannot hold: {message}")]
    TooBig {
        /// The table, as SQL.
        table: String,
        /// What the server says.
        message: String,
    },
    /// Clients kept coming, so that the databases could not be exchanged.
    #[error("the database could not be exchanged: {message}")]
    Busy {
        /// What the server says.
        message: String,
    },
    /// The connection to the server was lost.
    #[error("the connection to the database was lost: {message}")]
    ConnectionLost {
        /// What is known.
        message: String,
    },
    /// Anything else that PostgreSQL says.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl BackupError {
    /// The file that it is about, where it is about one.
    pub fn file(&self) -> &str {
        match self {
            Self::Manifest { file, .. }
            | Self::Schema { file, .. }
            | Self::Damaged { file, .. }
            | Self::Unreadable { file, .. } => file,
            _ => "",
        }
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { near, .. } if near.is_empty() => "`cargo xtask db-backup --list` shows what there is".to_owned(),
            Self::NotFound { near, .. } => format!("there are: {}", near.join(", ")),
            Self::Manifest { .. } | Self::Damaged { .. } => {
                "take another one (`cargo xtask db-backup --list`), and find out what this disk does".to_owned()
            }
            Self::Schema { .. } => "use the version that made it, or a later one".to_owned(),
            Self::Unreadable { remedy, .. } => remedy.clone(),
            Self::Undecodable { .. } => "nothing was published; try again, and look at the disk and the memory of this machine".to_owned(),
            Self::Incomplete { .. } | Self::ConnectionLost { .. } => "nothing was published; `cargo xtask health` shows how the database is".to_owned(),
            Self::Unsafe { path, .. } => format!("put a folder of mode 0700 at {path}, or state another one: `[backup] dir` in infra.toml"),
            Self::NotMounted { record, .. } => {
                format!("mount the disk that belongs there; if the backups are gone on purpose, remove {record}")
            }
            Self::NoRoom { .. } | Self::Full { .. } => "free some space: `cargo xtask db-prune` shows which backups may go".to_owned(),
            Self::Forbidden { .. } => {
                "let it log in as the owner, or grant it pg_read_all_data; row-level security needs a role with BYPASSRLS".to_owned()
            }
            Self::Blocked { .. } | Self::Stalled { .. } => "try again when that is done, or end that session".to_owned(),
            Self::Mismatch { .. } => "install the client tools of the server's version; for a managed database, `client = \"postgres:17-alpine\"` in \
                                      `[database]` of infra.toml takes those of an image".to_owned(),
            Self::Killed { .. } => "nothing was published; look at the memory of its host, then try again".to_owned(),
            Self::EngineLost { .. } => "nothing was published; try again when `docker info` answers".to_owned(),
            Self::Unfit { remedy, .. } if remedy.is_empty() => "restore into a server that has them".to_owned(),
            Self::Unfit { remedy, .. } => format!("in SQL: {}", remedy.join(" ")),
            Self::Restore { .. } | Self::Differs { .. } => {
                "the database is as it was; `cargo xtask db-verify` tells whether the backup is whole".to_owned()
            }
            Self::Foreign { .. } => "`--into NAME` restores it beside; `--allow-foreign` replaces the database with it".to_owned(),
            Self::TooBig { .. } => {
                "as text a row has at most 1 GiB, which is 512 MiB of bytea; keep such values as large objects or files, or back up the whole \
                 server with pg_basebackup"
                    .to_owned()
            }
            Self::Busy { .. } => "stop what uses the database (`cargo xtask stop SERVICE`), then try again".to_owned(),
            Self::Postgres(error) => return error.hint(),
        })
    }

    /// What it means as an exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotFound { .. } => Exit::NotFound,
            Self::Manifest { .. }
            | Self::Schema { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. }
            | Self::Mismatch { .. }
            | Self::Unfit { .. }
            | Self::Differs { .. } => Exit::BadData,
            Self::Undecodable { .. } | Self::Killed { .. } | Self::Restore { .. } | Self::TooBig { .. } => Exit::Failed,
            Self::Incomplete { .. } | Self::EngineLost { .. } | Self::ConnectionLost { .. } => Exit::Unavailable,
            Self::Unsafe { .. } | Self::Forbidden { .. } | Self::Foreign { .. } => Exit::Refused,
            Self::NotMounted { .. } => Exit::Config,
            Self::NoRoom { .. } | Self::Full { .. } => Exit::CannotCreate,
            Self::Blocked { .. } | Self::Stalled { .. } | Self::Busy { .. } => Exit::Locked,
            Self::Postgres(error) => error.exit(),
        }
    }

    /// Finds the real cause in what a dump or restore said.
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
            // `pg_dump: detail: Command was: COPY public.files (data) TO stdout;`
            let table = said.split_once("COPY ").and_then(|(_, rest)| Some(rest.split_once(" (")?.0.to_owned()));
            return Self::TooBig { table: table.unwrap_or_default(), message };
        }
        // What `--lock-wait-timeout` sets is a timeout for the statement that locks.
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
            return Self::Mismatch { message };
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
            // Docker's own code, and nothing said: it lost its engine.
            ExecError::Exited { code: 125 | 255, ref tail, .. } if tail.trim().is_empty() => {
                Self::EngineLost { message: "its client ended without a word".to_owned() }
            }
            // No tool of PostgreSQL's fails so: what it said was lost on the way.
            ExecError::Exited { code, ref tail, .. } if tail.trim().is_empty() => {
                Self::Incomplete { reason: format!("{tool} ended with exit code {code} without a word") }
            }
            error => Self::Postgres(PostgresError::from_exec(error)),
        }
    }
}

fn no_room(folder: &camino::Utf8Path) -> BackupError {
    let free = super::folder::Folder::open(folder).ok().and_then(|folder| folder.room().ok());
    let free = free.map_or("nothing".to_owned(), |room| crate::manifest::ByteSize::new(room.bytes).to_string());
    BackupError::NoRoom { path: folder.to_owned(), free, needed: "more".to_owned() }
}
