//! Errors of PostgreSQL and its tools.

use crate::exec::ExecError;
use crate::exit::Exit;
use crate::failure::{ErrorKind, Failure};

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PostgresError {
    /// No service of the stack looks like PostgreSQL, and no database is configured.
    #[error("no database was found: no service looks like PostgreSQL")]
    NotFound,
    /// Several services look like PostgreSQL.
    #[error("several services look like PostgreSQL: {}", .candidates.join(", "))]
    Ambiguous {
        /// The names of these services.
        candidates: Vec<String>,
    },
    /// The database is not running or cannot be reached.
    #[error("the database cannot be reached: {message}")]
    Unreachable {
        /// The reason, as far as known.
        message: String,
    },
    /// The server is still starting or is shutting down.
    #[error("the database is starting: {message}")]
    Starting {
        /// The message of the server.
        message: String,
    },
    /// The server rejected the login.
    #[error("the database does not accept the login: {message}")]
    Login {
        /// The message of the server; it never repeats a password.
        message: String,
        /// The variable that the password comes from, if that is known.
        key: Option<String>,
    },
    /// No database has that name.
    #[error("database not found: {message}")]
    NoDatabase {
        /// The message of the server.
        message: String,
    },
    /// A name is too long. PostgreSQL truncates such names silently, so that two could collide.
    #[error("`{name}` has {length} bytes; PostgreSQL's names have at most 63")]
    NameTooLong {
        /// The name that is too long.
        name: String,
        /// Its length in bytes.
        length: usize,
    },
    /// A connection URL is not of the form `postgres://user:password@host:port/database`.
    #[error("the database's URL is not valid: {reason}")]
    Url {
        /// What is wrong; never the URL itself.
        reason: &'static str,
    },
    /// A file named in the URL does not exist.
    #[error("the database's URL names {path} as `{key}`, which does not exist")]
    TlsFile {
        /// The option of the URL.
        key: &'static str,
        /// The path of the file.
        path: camino::Utf8PathBuf,
    },
    /// One side refuses TLS, or the server's certificate could not be verified.
    #[error("the connection to the database is not safe: {message}")]
    Unsafe {
        /// What is wrong with the connection.
        message: String,
    },
    /// No usable PostgreSQL is installed on this machine.
    #[error("PostgreSQL's programs were not found on this machine: {looked_for}")]
    NotInstalled {
        /// What was searched for, and where.
        looked_for: String,
    },
    /// A local cluster could not be created or started.
    #[error("the local database {doing}: {message}")]
    Cluster {
        /// What failed: `could not be made`, `did not start`…
        doing: &'static str,
        /// The message of its tools or from its log.
        message: String,
    },
    /// An init script failed; the new database was removed.
    #[error("the init script {script} failed: {message}")]
    Init {
        /// The script, relative to the project.
        script: camino::Utf8PathBuf,
        /// The script's message, with the line number.
        message: String,
    },
    /// Any other failure of a tool.
    #[error(transparent)]
    Failed(ExecError),
}

/// The phase before there is a server, and so no log.
pub(super) const CANNOT_MAKE: &str = "could not be created";

impl PostgresError {
    /// Determines the cause from a client tool's output.
    pub(crate) fn from_exec(error: ExecError) -> Self {
        let said = error.tail();
        let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
        let message = || {
            said.lines()
                .find(|line| line.contains("FATAL") || line.contains("error:"))
                .unwrap_or(said)
                .trim()
                .to_owned()
        };
        if has(&[
            "the database system is starting up",
            "the database system is not yet accepting connections",
            "the database system is in recovery mode",
        ]) {
            Self::Starting { message: message() }
        } else if has(&[
            "certificate verify failed",
            "does not match host name",
            "root certificate file",
            "server does not support SSL",
            "SSL error:",
            ", no encryption",
        ]) {
            Self::Unsafe { message: message() }
        } else if has(&[
            "password authentication failed",
            "no pg_hba.conf entry",
            "fe_sendauth",
            "Peer authentication failed",
        ]) || (has(&["role \""]) && has(&["does not exist"]) && has(&["FATAL"]))
        {
            Self::Login { message: message(), key: None }
        } else if has(&["FATAL:  database \"", "FATAL: database \""]) {
            Self::NoDatabase { message: message() }
        } else if has(&[
            "could not connect",
            "connection to server",
            "Connection refused",
            "is not running",
            "No such container",
            "could not translate host name",
            "server closed the connection",
        ]) {
            Self::Unreachable { message: message() }
        } else {
            Self::Failed(error)
        }
    }
}

impl Failure for PostgresError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotFound | Self::Ambiguous { .. } | Self::Url { .. } | Self::TlsFile { .. } => Exit::Config,
            Self::Unreachable { .. } | Self::Starting { .. } | Self::NotInstalled { .. } => Exit::Unavailable,
            Self::Login { .. } | Self::Unsafe { .. } => Exit::Refused,
            Self::NoDatabase { .. } => Exit::NotFound,
            Self::NameTooLong { .. } => Exit::Usage,
            Self::Cluster { message, .. } | Self::Init { message, .. }
                if message.contains("No space left on device") =>
            {
                Exit::CannotCreate
            }
            Self::Cluster { .. } | Self::Init { .. } => Exit::Failed,
            Self::Failed(error) => error.exit(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Login { .. } => ErrorKind::LoginRefused,
            _ => self.exit().into(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound => "set it in infra.toml: `[database]` with `service = …` or `url = \"env:DATABASE_URL\"`".to_owned(),
            Self::Ambiguous { candidates } => {
                format!("choose one in infra.toml: `[database]` with `service = \"{}\"`", candidates.first().map_or("db", String::as_str))
            }
            Self::Unreachable { .. } => "`cargo xtask start` starts it; `cargo xtask health` shows its state".to_owned(),
            Self::Starting { .. } => "try again in a moment; `cargo xtask health --wait` waits".to_owned(),
            Self::Login { key, .. } => login_remedy(key.as_deref()),
            Self::NoDatabase { .. } => "check `[database] name` in infra.toml and POSTGRES_DB; `cargo xtask env explain` says where it comes from".to_owned(),
            Self::NotInstalled { .. } => "install it (Debian: `sudo apt-get install postgresql`; macOS: `brew install postgresql`), or \
                                          `cargo xtask setup --install`"
                .to_owned(),
            Self::Cluster { message, .. } if message.contains("No space left on device") => {
                "free some space; `cargo xtask df` shows what this project uses".to_owned()
            }
            Self::Cluster { doing: CANNOT_MAKE, .. } => "`-v` shows everything that `initdb` says".to_owned(),
            Self::Cluster { .. } => "`cargo xtask logs` shows the server's log".to_owned(),
            Self::Init { message, .. } => init_hint(message).to_owned(),
            Self::TlsFile { .. } => "put the file there, or correct the URL: a path is relative to the project's folder, and \
                                     `sslrootcert=system` is what this machine trusts"
                .to_owned(),
            Self::Unsafe { .. } => "with `sslmode=verify-full`, the URL's `sslrootcert` must hold the authority that has signed the \
                                    server's certificate, and the certificate must name the URL's host; a server that takes TLS \
                                    only wants a `sslmode` other than `disable`"
                .to_owned(),
            Self::NameTooLong { .. } | Self::Url { .. } => return None,
            Self::Failed(error) => return error.hint(),
        })
    }
}

fn init_hint(message: &str) -> &'static str {
    if message.contains("is not available") || message.contains("extension control file") {
        "install the extension's package for this PostgreSQL (Debian: `postgresql-<version>-<extension>`), or let a \
         container with it serve as the database: `cargo xtask setup --services compose --database service`"
    } else if message.contains("/docker-entrypoint-initdb.d") || message.contains("/var/lib/postgresql") {
        "that is a path inside the image; on this machine it does not exist"
    } else {
        "correct it, then run `cargo xtask setup` again: it starts over with an empty database"
    }
}

/// What helps against a refused login; the password comes from this variable, if that is known.
fn login_remedy(key: Option<&str>) -> String {
    let rotate = match key {
        Some(key) => format!("`cargo xtask env rotate {key}`"),
        None => "`cargo xtask env rotate KEY`, KEY being the password's variable".to_owned(),
    };
    format!(
        "a volume keeps the password with which it was initialised: put that one into the env file, or give the role a new \
         one with {rotate} (in SQL: ALTER ROLE … PASSWORD …); `cargo xtask env explain` says where user and password come from"
    )
}
