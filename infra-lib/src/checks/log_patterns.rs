//! Known causes of failing services, recognised by their log lines, with remedies.
//!
//! The table goes from the specific to the general; the first row that matches one of the lines wins. A row matches a line
//! that contains one of its marks; of a mark with `&`, the line must contain each part.

/// A known cause and the log lines that show it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Symptom {
    /// The cause, in a few words.
    pub(super) cause: &'static str,
    /// What to do; `{service}` is the service that logged the line.
    pub(super) cure: &'static str,
    marks: &'static [&'static str],
}

/// The first row of the table that matches one of the lines, and the last line that it matches.
pub(super) fn read(lines: &[String]) -> Option<(&'static Symptom, &str)> {
    TABLE.iter().find_map(|row| {
        let line = lines.iter().rev().find(|line| row.knows(line))?;
        Some((row, line.trim()))
    })
}

impl Symptom {
    fn knows(&self, line: &str) -> bool {
        let line = line.to_lowercase();
        self.marks.iter().any(|mark| mark.split('&').all(|part| line.contains(part)))
    }

    /// The remedy, for this service.
    pub(super) fn cure_for(&self, service: &str) -> String {
        self.cure.replace("{service}", service)
    }
}

const fn row(cause: &'static str, cure: &'static str, marks: &'static [&'static str]) -> Symptom {
    Symptom { cause, cure, marks }
}

/// All marks are in lower case.
const TABLE: &[Symptom] = &[
    row(
        "the system watches too few files for hot reload",
        "raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`, and put that line into /etc/sysctl.d/ to keep it",
        &[
            "number of file watchers reached",
            "inotify watch limit",
            "inotify_add_watch",
            "inotify instances",
            "max_user_watches",
            "os error 28&watch",
        ],
    ),
    row(
        "the volume's files were made by another major version of PostgreSQL",
        "put the image's old tag back, take a backup with `cargo xtask db-backup`, then restore it into the new version with a fresh volume",
        &["database files are incompatible with server", "was initialized by postgresql version"],
    ),
    row(
        "missing environment variable: the database has no password to begin with",
        "set POSTGRES_PASSWORD for `{service}`; `cargo xtask setup` creates the env file with a new one",
        &["superuser password is not specified"],
    ),
    row(
        "another server already uses these files, or one was killed",
        "`cargo xtask ps` shows whether a second container has the same volume; if none has, `cargo xtask restart {service}`",
        &["lock file \"postmaster.pid\" already exists"],
    ),
    row(
        "permissions: it may not read or write its files or its volume",
        "compare the user that `{service}` runs as with the owner of what it mounts (`ls -ln`, `user:` in the compose file), and `chown` the folder to that user",
        &[
            "eacces",
            "permission denied",
            "operation not permitted",
            "has wrong ownership",
            "has invalid permissions",
            "could not change permissions",
            "read-only file system",
            "erofs",
        ],
    ),
    row(
        "the disk is full",
        "`cargo xtask df` shows what uses the space and `cargo xtask clean` frees some of it; look for large logs and old backups too",
        &["no space left on device", "enospc", "disk full", "could not extend file", "disk quota exceeded"],
    ),
    row(
        "out of memory",
        "raise the memory limit of `{service}` in the compose file (`cargo xtask stats` shows what it takes), or look for a leak",
        &[
            "outofmemoryerror",
            "heap out of memory",
            "cannot allocate memory",
            "out of memory",
            "oom command not allowed",
        ],
    ),
    row(
        "port conflict: another process already listens there",
        "stop it or use another port; `cargo xtask setup` moves published ports by itself",
        &[
            "eaddrinuse",
            "address already in use",
            "address in use",
            "port is already allocated",
            "bind() to&failed",
            "port&already in use",
        ],
    ),
    row(
        "TLS certificate missing, expired or not matching its key",
        "put the certificate and its key where the service's configuration expects them (compare the mounts in the compose file), or renew them",
        &[
            "cannot load certificate",
            "bio_new_file",
            "pem_read_bio",
            "key values mismatch",
            "certificate has expired",
            "cert_has_expired",
            "ssl_ctx_use_privatekey",
            "no such file&.pem",
            "no such file&.crt",
            "certificate&not found",
            "self_signed_cert",
            "unable to verify the first certificate",
            "unable to get local issuer",
        ],
    ),
    row(
        "a service that it passes requests to cannot be found",
        "start that service first (`cargo xtask start`), give it a network in common with `{service}`, and `depends_on` it",
        &["host not found in upstream", "no live upstreams", "connect() failed&upstream"],
    ),
    row(
        "Redis does not accept it",
        "check REDIS_URL or REDIS_HOST of `{service}` (host: the service's name, port 6379, the same password), whether Redis runs (`cargo xtask ps`), and `depends_on` it",
        &[
            "redis&econnrefused",
            "redis&refused",
            "refused&:6379",
            "noauth",
            "wrongpass",
            "misconf redis",
            "redis&connection&fail",
            "redis&connection error",
            "redis&connection&lost",
            "replyerror",
        ],
    ),
    row(
        "database not ready: it was asked too early",
        "let `{service}` wait for it: `depends_on` with `condition: service_healthy`, and a health check on the database; then `cargo xtask restart {service}`",
        &["database system is starting up", "not yet accepting connections", "the database system is shutting down"],
    ),
    row(
        "the database does not accept the login",
        "compare user, password and database name of `{service}` with those of the database (`cargo xtask env explain`); a volume keeps the password with which it was initialised: `cargo xtask env rotate` changes both",
        &[
            "password authentication failed",
            "no pg_hba.conf entry",
            "sasl authentication failed",
            "fatal:&role \"&does not exist",
            "fatal:&database \"&does not exist",
            "authentication failed for user",
            "database \"&does not exist",
        ],
    ),
    row(
        "the database has no connection left",
        "lower the services' pool sizes, or raise max_connections; `cargo xtask db-shell -c 'SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2'` shows who has them",
        &["too many clients already", "remaining connection slots", "too many connections"],
    ),
    row(
        "the database does not accept connections",
        "check that it runs and is healthy (`cargo xtask health`), and that DATABASE_URL or DB_HOST of `{service}` names the database's service, not localhost; then `cargo xtask restart`",
        &[
            "econnrefused&5432",
            "connection refused&5432",
            "connection refused&postgres",
            "could not connect to server",
            "connection to server at",
            "can't reach database server",
            "connect econnrefused&postgres",
            "connection to&5432 refused",
            "could not open jdbc connection",
        ],
    ),
    row(
        "a host name is not known in its network",
        "use the name of a service of the compose file as host, check that this service runs, and that both share a network; a network or name outside the stack must exist before",
        &[
            " enotfound",
            "'enotfound",
            "\"enotfound",
            "eai_again",
            "could not translate host name",
            "name or service not known",
            "temporary failure in name resolution",
            "unknownhostexception",
            "getaddrinfo",
            "no such host",
            "name does not resolve",
            "server misbehaving",
            "nodename nor servname",
        ],
    ),
    row(
        "the schema is not what it expects: migrations are missing or failed",
        "`cargo xtask db-migrate status` shows what is pending, `cargo xtask db-migrate` applies it",
        &[
            "relation \"&does not exist",
            "column&does not exist",
            "undefinedtable",
            "undefinedcolumn",
            "no such table",
            "pending migration",
            "migration&failed",
            "failed migration",
            "migrations have failed validation",
            "validate failed: migrations",
            "flywayexception",
        ],
    ),
    row(
        "missing environment variable",
        "set it in the env file; `cargo xtask env check` lists what is missing and `cargo xtask env fill` adds what the template has",
        &[
            "environment variable&missing",
            "environment variable&required",
            "environment variable&not ",
            "environment variable&must",
            "environment variable&undefined",
            "env var&missing",
            "env var&required",
            "env var&not ",
            "is not set",
            "must be set",
            "must be defined",
            "missing required",
            "is required",
            "field required",
            "keyerror: '",
            "could not resolve placeholder",
            "parameter not set",
            "unbound variable",
            "missing env",
            "undefined variable",
            "invalid environment",
        ],
    ),
    row(
        "its script has Windows line endings",
        "save it with Unix line endings (`sed -i 's/\\r$//' FILE`), and rebuild",
        &["\\r: not found", "$'\\r'", "sh\\r", "bad interpreter", "\r': no such file"],
    ),
    row(
        "its program is not in the image, or a dependency of it is missing",
        "rebuild: `cargo xtask build {service}`; if a mounted folder hides what the image has (node_modules, .venv), give that path a volume of its own",
        &[
            "cannot find module",
            "modulenotfounderror",
            "no module named",
            "cannot find package",
            "classnotfoundexception",
            "noclassdeffounderror",
            "error while loading shared libraries",
            "executable file not found",
            "command not found",
            ": not found",
            "err_module_not_found",
            "could not find or load main class",
        ],
    ),
    row(
        "the image is for another processor architecture",
        "build or pull it for this one: `platform:` in the compose file, or `cargo xtask build {service}`",
        &["exec format error"],
    ),
    row(
        "a file is mounted where a folder is, or a folder where a file is",
        "what was missing at the first start was made as an empty folder: remove that, put the file there, and `cargo xtask start`",
        &["not a directory", "is a directory", "are you trying to mount a directory onto a file"],
    ),
    row(
        "syntax error in its code or configuration",
        "look at the line that it names; the last change (`git diff`) probably brought it",
        &[
            "syntaxerror",
            "syntax error",
            "indentationerror",
            "unexpected token",
            "parse error",
            "parseerror",
            "unknown directive",
            "unexpected \"}\"",
            "unexpected end of",
            "[emerg]",
            "transformerror",
            "build failed with",
            "compilation failed",
            "error ts",
            "configuration file&test failed",
            "invalid configuration",
        ],
    ),
    row(
        "CORS: the page's address is not among the allowed origins",
        "add the page's address, as the browser shows it, to the allowed origins of `{service}` (CORS_ORIGINS, ALLOWED_ORIGINS)",
        &[
            "not allowed by cors",
            "cors policy",
            "cors error",
            "origin&not allowed",
            "disallowed cors origin",
            "invalid cors",
        ],
    ),
    row(
        "the Docker engine has no free address range for another network",
        "`docker network ls` shows the networks of projects that no longer exist: remove them by name",
        &["non-overlapping ipv4 address pool", "pool overlaps"],
    ),
    row(
        "something that it needs does not accept connections",
        "`cargo xtask health` shows what does not run; let `{service}` `depends_on` it with `condition: service_healthy`",
        &["econnrefused", "connection refused", "connection reset by peer", "upstream timed out"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ailment_is_told_by_what_its_programs_say() {
        let cases = [
            ("hot reload", "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'"),
            ("major version", "FATAL:  database files are incompatible with server"),
            ("missing environment", "Error: Database is uninitialized and superuser password is not specified."),
            ("permissions", "Error: EACCES: permission denied, mkdir '/app/storage/media'"),
            ("permissions", "FATAL:  data directory \"/var/lib/postgresql/data\" has wrong ownership"),
            ("disk is full", "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device"),
            ("out of memory", "java.lang.OutOfMemoryError: Java heap space"),
            ("port conflict", "error: Failed to start server. Is port 3000 in use? code: \"EADDRINUSE\""),
            ("port conflict", "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)"),
            (
                "TLS certificate",
                "nginx: [emerg] cannot load certificate \"/etc/nginx/ssl/server.crt\": BIO_new_file() failed",
            ),
            (
                "passes requests",
                "nginx: [emerg] host not found in upstream \"backend\" in /etc/nginx/conf.d/default.conf:3",
            ),
            ("Redis", "Error: connect ECONNREFUSED 172.20.0.3:6379"),
            ("Redis", "ReplyError: NOAUTH Authentication required."),
            ("asked too early", "psycopg.OperationalError: FATAL:  the database system is starting up"),
            ("does not accept the login", "FATAL:  password authentication failed for user \"app\""),
            ("does not accept the login", "error: database \"shop\" does not exist"),
            ("no connection left", "FATAL:  sorry, too many clients already"),
            ("database does not accept connections", "Error: connect ECONNREFUSED 127.0.0.1:5432"),
            ("database does not accept connections", "P1001: Can't reach database server at `db`:`5432`"),
            ("host name", "Error: getaddrinfo ENOTFOUND postgres"),
            ("host name", "could not translate host name \"db\" to address: Name or service not known"),
            ("migrations", "ERROR:  relation \"users\" does not exist at character 15"),
            (
                "migrations",
                "org.flywaydb.core.api.exception.FlywayValidateException: Validate failed: Migrations have failed validation",
            ),
            ("missing environment", "Error: JWT_SECRET is not set"),
            ("missing environment", "KeyError: 'DATABASE_URL'"),
            ("missing environment", "/app/run.sh: 3: DB_NAME: parameter not set"),
            ("missing environment", "Could not resolve placeholder 'jwt.secret' in value \"${jwt.secret}\""),
            ("Windows line endings", "/usr/bin/env: 'bash\r': No such file or directory"),
            ("not in the image", "Error: Cannot find module 'express'"),
            ("not in the image", "ModuleNotFoundError: No module named 'fastapi'"),
            ("processor architecture", "exec /usr/local/bin/app: exec format error"),
            ("syntax error", "SyntaxError: Unexpected token '}'"),
            ("syntax error", "  File \"/app/main.py\", line 3\nIndentationError: unexpected indent"),
            ("syntax error", "nginx: [emerg] unknown directive \"sever\" in /etc/nginx/nginx.conf:1"),
            ("CORS", "Error: Not allowed by CORS"),
            ("needs does not accept", "Error: connect ECONNREFUSED 10.0.0.9:9200"),
        ];
        for (cause, line) in cases {
            let lines = ["starting".to_owned(), line.to_owned(), "npm notice".to_owned()];
            let (symptom, _) = read(&lines).unwrap_or_else(|| panic!("unknown: {line}"));
            assert!(symptom.cause.contains(cause), "{line}: {}", symptom.cause);
        }
        assert_eq!(read(&["listening on :3000".to_owned()]), None);
    }

    #[test]
    fn marks_are_in_lower_case_and_no_cure_prunes() {
        for row in TABLE {
            assert!(row.marks.iter().all(|mark| *mark == mark.to_lowercase()), "{:?}", row.marks);
            assert!(!row.cure.contains("prune"), "{}", row.cure);
        }
    }
}
