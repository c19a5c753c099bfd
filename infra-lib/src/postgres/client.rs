//! Calling PostgreSQL's client tools in a version that fits the server.

use std::sync::OnceLock;
use std::time::Duration;

use crate::compose::{Container, OneOff, mount};
use crate::exec::{Invocation, Output};
use crate::project::error::Result;
use crate::project::{LocalRecord, Project};

use super::database::running;
use super::{Database, Place, PostgresError};

/// The application name of this process's sessions.
fn application_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        // Processes on other machines may have the same number.
        let mut random = [0; 4];
        let _ = getrandom::fill(&mut random);
        format!("infra-{}-{:08x}", std::process::id(), u32::from_ne_bytes(random))
    })
}

/// How to connect to a server in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over TCP like the services do, with the password.
    Network,
    /// Over the container's loopback address, for which the image requires no password.
    Inside,
}

impl Database {
    /// A call of one of PostgreSQL's client tools, logged in to this database.
    ///
    /// Names are passed as `PGDATABASE` and `PGUSER`, since libpq interprets `dbname=…` and URLs in positional
    /// arguments, and the password as `PGPASSWORD`; none of them appears in argv. In a container, the server's own
    /// tools are used. They log in over TCP under the container's own name, since the image trusts its loopback
    /// address without a password.
    pub(crate) fn tool(&self, project: &Project, tool: &str, terminal: bool) -> Result<Invocation> {
        self.tool_by(project, tool, terminal, Way::Network)
    }

    pub(super) fn tool_by(&self, project: &Project, tool: &str, terminal: bool, way: Way) -> Result<Invocation> {
        let mut call = match &self.place {
            Place::Service { service, .. } => {
                return Ok(self.tool_inside(&project.container_for_client(service)?, tool, terminal, way));
            }
            Place::Local(LocalRecord { port, .. }) => {
                let call = Invocation::new(self.host_tool(project, tool)?).minimal_env();
                self.logged_in(call, "127.0.0.1", *port, "prefer")
            }
            Place::Url { host, port, tls, client } => {
                let found = self.host_tool(project, tool);
                if let Some(image) = client
                    // Any psql works with any server, and this machine's starts faster.
                    && (!["psql", "pg_isready"].contains(&tool) || found.is_err())
                {
                    // The container ends by itself once its session has ended.
                    let (call, _) = OneOff::new(application_name())?;
                    let call = if terminal { call.arg("-t") } else { call };
                    return Ok(self.shown_to_client(call, "").arg(image).arg(tool));
                }
                let call = self.logged_in(Invocation::new(found?).minimal_env(), host, *port, &tls.mode);
                tls.variables().fold(call, |call, (key, value)| call.env(key, value))
            }
        };
        if terminal {
            for key in ["TERM", "PAGER", "EDITOR", "LANG"] {
                if let Some(value) = std::env::var_os(key) {
                    call = call.env(key, value);
                }
            }
        }
        Ok(call)
    }

    /// Like `tool`, in a container that is known to be the database's.
    pub(super) fn tool_inside(&self, container: &Container, tool: &str, terminal: bool, way: Way) -> Invocation {
        let port = if let Place::Service { port, .. } = self.place { port } else { 5432 };
        let on_host = container.addresses.contains_key("host");
        let host = if on_host || way == Way::Inside { "127.0.0.1" } else { &container.hostname };
        let call = Invocation::new("docker").args(["exec", if terminal { "-it" } else { "-i" }]);
        self.passed_on(call, host, port, "prefer").arg(container.id.clone()).arg(tool)
    }

    /// Adds to a `docker run` call without an image everything a client needs to log in to an external server: this
    /// machine's network, the login and the TLS files. `options` are session settings.
    pub(super) fn shown_to_client(&self, call: Invocation, options: &str) -> Invocation {
        let Place::Url { host, port, tls, .. } = &self.place else { return call };
        // No other command pulls this image, so the first use may.
        let call =
            self.passed_on(call.args(["--pull", "missing", "--init", "--network", "host"]), host, *port, &tls.mode);
        let call = tls.words().fold(call, |call, (key, value)| call.args(["-e", key]).env(key, value));
        let call = tls.files().fold(call, |call, (key, path)| {
            let inside = format!("/run/tls/{key}");
            let mount = format!("{},readonly", mount("bind", path.as_str(), &inside));
            call.args(["--mount", &mount, "-e", key]).env(key, inside)
        });
        call.args(["-e", "PGOPTIONS"]).env("PGOPTIONS", options)
    }

    /// Adds everything needed to log in to a Docker call. Values are passed through the environment; only their names
    /// appear in argv.
    pub(super) fn passed_on(&self, call: Invocation, host: &str, port: u16, tls: &str) -> Invocation {
        let call = self
            .identity(host, &port.to_string(), tls)
            .into_iter()
            .fold(call, |call, (key, value)| call.args(["-e", key]).env(key, value));
        match &self.password {
            Some(password) => call.args(["-e", "PGPASSWORD"]).secret_env("PGPASSWORD", password),
            None => call,
        }
    }

    /// Adds everything needed to log in to a call on this machine.
    pub(super) fn logged_in(&self, mut call: Invocation, host: &str, port: u16, tls: &str) -> Invocation {
        for (key, value) in self.identity(host, &port.to_string(), tls) {
            call = call.env(key, value);
        }
        if let Some(password) = &self.password {
            call = call.secret_env("PGPASSWORD", password);
        }
        if let Place::Local(_) = self.place {
            // A process that took the port of a stopped server must not receive the password.
            call = call.env("PGREQUIREAUTH", "scram-sha-256");
        }
        call
    }

    pub(super) fn identity<'a>(&'a self, host: &'a str, port: &'a str, tls: &'a str) -> [(&'static str, String); 7] {
        [
            ("PGDATABASE", self.name.clone()),
            ("PGUSER", self.user.clone()),
            ("PGHOST", host.to_owned()),
            ("PGPORT", port.to_owned()),
            ("PGSSLMODE", tls.to_owned()),
            ("PGCONNECT_TIMEOUT", "10".to_owned()),
            ("PGAPPNAME", application_name().to_owned()),
        ]
    }

    /// Ends the sessions that this process left on the server after a client was interrupted. `docker exec` forwards
    /// no signal, so psql and its query would continue in the container, and a running query does not notice that its
    /// client is gone. `client` is a call of psql from [`Database::tool`], made before the interruption.
    pub(crate) fn terminate_sessions(project: &Project, client: Invocation) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid();";
        let call = client.args(["-X", "-q", "-w", "-f", "-"]).stdin(sql).deadline(Duration::from_secs(3));
        // If the server cannot be reached, there is nothing to end either.
        let _ = project.runner().aftermath().read(&call);
    }

    /// A call of `psql` that ignores `.psqlrc`, stops at the first error and never prompts for a password.
    pub(crate) fn psql(&self, project: &Project) -> Result<Invocation> {
        self.psql_by(project, Way::Network)
    }

    pub(super) fn psql_by(&self, project: &Project, way: Way) -> Result<Invocation> {
        Ok(self.own_session(self.tool_by(project, "psql", false, way)?))
    }

    /// Adds to a call of psql what our own sessions need, whatever is set for the role or the database.
    pub(super) fn own_session(&self, psql: Invocation) -> Invocation {
        let psql = psql.args(PSQL);
        match self.session_options() {
            // The database's name stays in the environment.
            Some(options) => psql.arg(format!("--dbname=client_encoding=UTF8 options='{options}'")),
            None => psql.args(["--dbname=client_encoding=UTF8", "-c", SETTINGS]),
        }
    }

    /// Settings for `PGOPTIONS`; `None` for an external server, where a connection pooler may refuse them.
    pub(super) fn session_options(&self) -> Option<&'static str> {
        if self.is_elsewhere() { None } else { Some(OPTIONS) }
    }

    /// The application name of this process's sessions.
    pub(crate) fn session_name() -> &'static str {
        application_name()
    }

    /// Runs SQL that changes nothing. Returns rows of unaligned text, with fields separated by tabs.
    pub(crate) fn query(&self, project: &Project, sql: &str) -> Result<String> {
        self.query_within(project, sql, Duration::from_secs(60))
    }

    pub(crate) fn query_within(&self, project: &Project, sql: &str, limit: Duration) -> Result<String> {
        self.run_query(project, self.psql(project)?, Way::Network, sql, limit)
    }

    /// Runs SQL that changes something. Returns `None` in a dry run.
    pub(crate) fn execute(project: &Project, call: &Invocation) -> Result<Option<Output>> {
        Ok(project.runner().change(call).map_err(PostgresError::from_exec)?)
    }

    /// Updates the planner's statistics. A failure only affects speed.
    pub(crate) fn analyze(&self, project: &Project) {
        project.step(format_args!("analyzing {}", self.name));
        let analyzed = self.psql(project).and_then(|call| {
            let call = call.args(["-f", "-"]).stdin("SET client_min_messages = error;\nANALYZE;\n");
            Self::execute(project, &call.deadline(Duration::from_secs(3600)))
        });
        if let Err(error) = analyzed {
            project.warn(format_args!("the new tables were not analyzed: {error}"));
        }
    }

    /// Logs in and returns the server's version. `pg_isready` is not enough: it accepts a wrong user, database or
    /// password.
    pub(crate) fn login(&self, project: &Project) -> Result<String> {
        self.run_query(project, self.psql(project)?, Way::Network, LOGIN, PATIENCE)
    }

    /// Like `login`, with containers that were just read. They only matter for a database in a service.
    pub(crate) fn login_among(&self, project: &Project, containers: &[Container]) -> Result<String> {
        let Place::Service { service, .. } = &self.place else { return self.login(project) };
        let container = running(service, containers)?;
        let psql = self.own_session(self.tool_inside(container, "psql", false, Way::Network));
        self.run_query(project, psql, Way::Network, LOGIN, PATIENCE)
    }

    /// Like `login`, from inside the server's container.
    pub(crate) fn login_inside(&self, project: &Project) -> Result<String> {
        self.run_query(project, self.psql_by(project, Way::Inside)?, Way::Inside, LOGIN, PATIENCE)
    }

    /// Runs SQL that changes nothing with this psql call, and returns its output.
    fn run_query(&self, project: &Project, psql: Invocation, way: Way, sql: &str, limit: Duration) -> Result<String> {
        let call = psql.args(["-A", "-t", "-F", "\t", "-f", "-"]).stdin(format!("{ANY_BYTES}{sql}")).deadline(limit);
        match project.runner().read(&call) {
            Ok(output) => Ok(output.text()),
            Err(error) => Err(self.explain(project, way, error).into()),
        }
    }
}

/// Ignore `.psqlrc`, stop at the first error, never prompt for a password.
const PSQL: [&str; 5] = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1"];
/// No limit ends our sessions, and our SQL means what it says.
const OPTIONS: &str = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
                       -c standard_conforming_strings=on";
/// The same in SQL.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                        SET standard_conforming_strings = on";
/// Text of such a database is not valid in any encoding.
pub(crate) const ANY_BYTES: &str =
    "SELECT 'SET client_encoding = SQL_ASCII' WHERE getdatabaseencoding() = 'SQL_ASCII' \\gexec\n";
/// The query that verifies a login.
const LOGIN: &str = "SHOW server_version;";
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Tls;
    use crate::secret::Secret;

    #[test]
    fn s01_a_clients_container_is_told_names_and_reads_the_password_from_the_environment() {
        let place = Place::Url {
            host: "db.example.com".to_owned(),
            port: 5432,
            tls: Tls::of_mode("require"),
            client: Some("postgres:17-alpine".to_owned()),
        };
        let (name, user) = ("shop".to_owned(), "app".to_owned());
        let database = Database { name, user, password: Some(Secret::new("hunter22")), place };
        let line =
            database.shown_to_client(Invocation::new("docker").arg("run"), "").arg("postgres:17-alpine").to_string();
        assert!(
            line.contains("--network host") && line.contains("-e PGSSLMODE") && line.contains("-e PGPASSWORD"),
            "{line}"
        );
        assert!(!line.contains("hunter22") && !line.contains("-e PGPASSWORD="), "{line}");
    }
}
