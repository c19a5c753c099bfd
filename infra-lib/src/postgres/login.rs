//! How programs other than PostgreSQL's own log in to a database: by a URL in the environment.

use crate::compose::container::Container;
use crate::compose::engine::Engine;
use crate::exec::invocation::Invocation;
use crate::project::error::Result;
use crate::project::{LocalRecord, Project};
use crate::secret::Secret;

use super::database::{Database, Place};
use super::error::PostgresError;
use super::url;

/// The address and login of a server, as seen from where a program runs.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    database: Database,
    host: String,
    port: u16,
    /// The `sslmode`, with a value that every driver knows.
    mode: String,
    /// Other TLS settings, as URL parameters.
    tls: Vec<(String, String)>,
}

impl Database {
    /// The login for programs on this machine.
    pub(crate) fn login_here(&self, project: &Project) -> Result<Login> {
        match &self.place {
            Place::Service { service, port } => {
                let container = project.database_container(service)?;
                let (host, port) = published(project, &container, service, *port)?;
                Ok(self.address(host, port))
            }
            Place::Local(LocalRecord { port, .. }) => Ok(self.address("127.0.0.1".to_owned(), *port)),
            Place::Url { host, port, .. } => Ok(self.address(host.clone(), *port)),
        }
    }

    /// The login for programs in a container of the stack. `None` if the database can only be reached from this
    /// machine.
    pub(crate) fn login_in_stack(&self) -> Option<Login> {
        match &self.place {
            Place::Service { service, port } => Some(self.address(service.clone(), *port)),
            Place::Local(_) => None,
            Place::Url { host, port, .. } => Some(self.address(host.clone(), *port)),
        }
    }

    /// The login for a one-off container, and the network that it joins.
    pub(crate) fn login_alone(&self, project: &Project) -> Result<(Login, String)> {
        let Place::Service { service, port } = &self.place else {
            return Ok((self.login_here(project)?, "host".to_owned()));
        };
        let container = project.database_container(service)?;
        let on_host = container.addresses.contains_key("host");
        let host = if on_host { "127.0.0.1".to_owned() } else { container.hostname };
        Ok((self.address(host, *port), format!("container:{}", container.id)))
    }

    pub(super) fn address(&self, host: String, port: u16) -> Login {
        let Place::Url { tls, .. } = &self.place else {
            return Login { database: self.clone(), host, port, mode: "disable".to_owned(), tls: Vec::new() };
        };
        // Go's and Node's drivers reject or reinterpret the modes that allow both.
        let mode = if ["prefer", "allow"].contains(&&*tls.mode) { "disable" } else { &tls.mode };
        let parameter = |key: &str| match key {
            "PGCHANNELBINDING" => "channel_binding".to_owned(),
            "PGSSLMINPROTOCOLVERSION" => "ssl_min_protocol_version".to_owned(),
            other => other.trim_start_matches("PG").to_lowercase(),
        };
        let tls = tls.variables().map(|(key, value)| (parameter(key), value.to_owned())).collect();
        Login { database: self.clone(), host, port, mode: mode.to_owned(), tls }
    }
}

/// The address of a service's port from this machine: the published one, else the container's own address.
fn published(project: &Project, container: &Container, service: &str, port: u16) -> Result<(String, u16)> {
    let call = project.compose().call(["port", service, &port.to_string()]);
    let text = project.runner().read(&call).map(|output| output.text()).unwrap_or_default();
    let found = text.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    if let Some((host, port)) = found.filter(|(_, port)| *port != 0) {
        let host = if host == "0.0.0.0" || host == "[::]" { "127.0.0.1".to_owned() } else { host };
        return Ok((host, port));
    }
    let own = container.addresses.iter().find(|(_, address)| !address.is_empty());
    match own {
        _ if container.addresses.contains_key("host") => Ok(("127.0.0.1".to_owned(), port)),
        Some((_, address)) if Engine::shares_kernel(project.runner()) => Ok((address.clone(), port)),
        _ => {
            let message = format!("service `{service}` publishes no port, so programs on this machine cannot reach it");
            Err(PostgresError::Unreachable { message }.into())
        }
    }
}

impl Login {
    /// The role that logs in.
    pub(crate) fn user(&self) -> &str {
        &self.database.user
    }

    /// The role's password, if any.
    pub(crate) fn password(&self) -> Option<&Secret> {
        self.database.password.as_ref()
    }

    /// The URL with the password. Pass it through the environment only.
    pub(crate) fn url(&self) -> Secret {
        let Database { user, name, password, .. } = &self.database;
        let text = url::write_at(user, password.as_ref(), &self.host, self.port, name);
        Secret::new(format!("{}?{}", text.expose(), self.parameters()))
    }

    /// The URL without the password, for arguments. `PGPASSWORD` has the password.
    pub(crate) fn url_without_password(&self) -> String {
        let Database { user, name, .. } = &self.database;
        format!("{}?{}", url::write_at(user, None, &self.host, self.port, name).expose(), self.parameters())
    }

    /// The URL for Java's JDBC driver, without the login.
    pub(crate) fn jdbc_url(&self) -> String {
        format!("{}?{}", url::write_jdbc(&self.host, self.port, &self.database.name), self.parameters())
    }

    fn parameters(&self) -> String {
        let pairs = std::iter::once(("sslmode", self.mode.as_str()))
            .chain(self.tls.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", url::encode(value))).collect();
        pairs.join("&")
    }

    /// Adds the libpq variables that every driver knows to a call on this machine. Go's driver refuses to start with
    /// others, so TLS settings are in the URL.
    pub(crate) fn on_host(&self, call: Invocation) -> Invocation {
        let variables = self.database.identity(&self.host, &self.port.to_string(), &self.mode);
        let call = variables.into_iter().fold(call, |call, (key, value)| call.env(key, value));
        match &self.database.password {
            Some(password) => call.secret_env("PGPASSWORD", password),
            None => call,
        }
    }

    /// Adds the same variables to a Docker call. Only their names appear in argv.
    pub(crate) fn in_container(&self, call: Invocation) -> Invocation {
        self.database.passed_on(call, &self.host, self.port, &self.mode)
    }
}
