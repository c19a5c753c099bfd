//! The project's database: its name, login and location.

use camino::Utf8PathBuf;

use crate::compose::{Container, SecretFile, Service, Status};
use crate::config::Reference;
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{DatabaseAxis, LocalRecord, Project};
use crate::secret::Secret;

use super::url::Url;
use super::{PostgresError, Tls, detect};

/// A database with everything needed to log in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Database {
    /// The name of the database.
    pub name: String,
    /// The role that logs in.
    pub user: String,
    /// The role's password, if one is known.
    pub(crate) password: Option<Secret>,
    /// Where the database runs.
    pub(crate) place: Place,
}

/// Where a database runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub(crate) enum Place {
    /// In a container of the stack.
    Service {
        /// The name of the service.
        service: String,
        /// The port inside the container.
        port: u16,
    },
    /// In the project's own local cluster.
    Local(LocalRecord),
    /// At an external server, given by its URL.
    Url {
        /// The host name or address.
        host: String,
        /// The port of the server.
        port: u16,
        /// How the connection is encrypted and verified.
        tls: Tls,
        /// The image with client tools, used if this machine's do not fit the server.
        client: Option<String>,
    },
}

/// PostgreSQL's limit for a name, in bytes (`NAMEDATALEN - 1`).
const LONGEST_NAME: usize = 63;

impl Database {
    /// The connection URL for programs on this machine, with the password. `None` for a database in a container: which
    /// of its ports is published is known only while it runs.
    pub fn url(&self) -> Option<Secret> {
        match &self.place {
            Place::Service { .. } => None,
            Place::Local(LocalRecord { port, .. }) => Some(self.address("127.0.0.1".to_owned(), *port).url()),
            Place::Url { host, port, .. } => Some(self.address(host.clone(), *port).url()),
        }
    }

    /// Returns an error if PostgreSQL would truncate a name.
    pub(crate) fn check_names(&self) -> Result<(), PostgresError> {
        match [&self.name, &self.user].into_iter().find(|name| name.len() > LONGEST_NAME) {
            Some(name) => Err(PostgresError::NameTooLong { name: name.clone(), length: name.len() }),
            None => Ok(()),
        }
    }

    /// Whether a URL points to this database.
    pub(crate) fn is_at(&self, text: &str) -> bool {
        let Place::Url { host, port, .. } = &self.place else { return false };
        Url::parse(text).is_ok_and(|url| url.host == *host && url.port == *port && url.database == self.name)
    }

    /// Whether other machines may use the database as well.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self.place, Place::Url { .. })
    }
}

impl Project {
    /// Where the configuration of this environment places the database. Choices for the checkout do not change that.
    pub(crate) fn own_database_axis(&self) -> Option<DatabaseAxis> {
        let own = self.config().environments.get(&self.environment().name)?.database.as_ref()?;
        Some(match own {
            own if own.url.is_some() => DatabaseAxis::Url,
            own if own.local.is_some() => DatabaseAxis::Local,
            _ => DatabaseAxis::Service,
        })
    }

    /// Where the database runs: as configured for this environment, else as chosen by `setup`, else as configured for
    /// all environments, else in a service of the stack.
    pub(crate) fn database_axis(&self) -> DatabaseAxis {
        if let Some(own) = self.own_database_axis() {
            return own;
        }
        if let Some(record) = self.record()
            && record.database == DatabaseAxis::Local
        {
            return DatabaseAxis::Local;
        }
        if self.config().database.url.is_some() {
            DatabaseAxis::Url
        } else {
            self.record().map_or(DatabaseAxis::Service, |record| record.database)
        }
    }

    /// The project's database with its login.
    pub fn database(&self) -> Result<Database> {
        let database = match self.database_axis() {
            DatabaseAxis::Service => self.service_database(None)?,
            DatabaseAxis::Local => self.local_database()?,
            DatabaseAxis::Url => self.url_database()?,
        };
        database.check_names()?;
        if let Some(password) = &database.password {
            self.runner().redactor().learn(password);
        }
        Ok(database)
    }

    fn service_database(&self, service: Option<&str>) -> Result<Database> {
        let settings = &self.config().database;
        let model = self.model()?;
        let name = match service.or(settings.service.as_deref()) {
            Some(name) => name,
            None => detect::service(model)?,
        };
        let service = model.services.get(name).ok_or_else(|| {
            Error::new(
                Exit::Config,
                format!("`[database] service` in infra.toml is `{name}`, and the compose files have no such service"),
            )
            .with_hint(format!("they have: {}", model.services.keys().cloned().collect::<Vec<_>>().join(", ")))
        })?;
        let image = |[official, bitnami]: [&str; 2]| -> Result<Option<String>> {
            Ok(self.image_setting(service, official)?.or(self.image_setting(service, bitnami)?))
        };
        let user = self
            .configured(settings.user.as_ref(), "`[database] user`")?
            .or(image(["POSTGRES_USER", "POSTGRESQL_USERNAME"])?)
            .unwrap_or_else(|| "postgres".to_owned());
        let database = self
            .configured(settings.name.as_ref(), "`[database] name`")?
            .or(image(["POSTGRES_DB", "POSTGRESQL_DATABASE"])?)
            .unwrap_or_else(|| user.clone());
        let password = self
            .configured(settings.password.as_ref(), "`[database] password`")?
            .or(image(["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"])?)
            .map(Secret::new);
        let place = Place::Service { service: name.to_owned(), port: detect::port(service) };
        Ok(Database { name: database, user, password, place })
    }

    /// A setting of an image: `KEY`, or the content of the file that `KEY_FILE` names in the container.
    fn image_setting(&self, service: &Service, key: &str) -> Result<Option<String>> {
        if let Some(Some(value)) = service.environment.get(key) {
            return Ok(Some(value.clone()).filter(|value| !value.is_empty()));
        }
        let Some(Some(inside)) = service.environment.get(&format!("{key}_FILE")) else { return Ok(None) };
        let text = match self.secret_source(service, inside)? {
            SecretFile { file: Some(file), .. } => std::fs::read_to_string(&file).map_err(Error::file("read", file))?,
            SecretFile { environment: Some(key), .. } => {
                return Ok(self.variable(&key).map(|value| value.expose().to_owned()));
            }
            _ => return Ok(None),
        };
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Where the content of a path inside a service's container comes from: a file on this machine, or a variable.
    fn secret_source(&self, service: &Service, inside: &str) -> Result<SecretFile> {
        if let Some(mount) = service.volumes.iter().find(|mount| mount.kind == "bind" && mount.target == inside) {
            return Ok(SecretFile { file: mount.source.clone().map(Utf8PathBuf::from), environment: None });
        }
        let model = self.model()?;
        let mut there = service.secrets().filter(|(_, path)| path == inside);
        Ok(there.find_map(|(name, _)| model.secrets.get(name).cloned()).unwrap_or_default())
    }

    fn url_database(&self) -> Result<Database> {
        let reference = self.config().database.url.clone().unwrap_or(Reference::Env("DATABASE_URL".to_owned()));
        let text = self.require(&reference, "`[database] url`")?;
        self.runner().redactor().learn(&Secret::new(text.clone()));
        let url = Url::parse(&text)?;
        let home = std::env::var("HOME").ok().map(Utf8PathBuf::from);
        let tls = Tls::from_settings(url.sslmode(), &url.options, self.root(), home.as_deref())?;
        let client = self.configured(self.config().database.client.as_ref(), "`[database] client`")?;
        let user = url.user.unwrap_or_else(|| "postgres".to_owned());
        Ok(Database {
            name: url.database,
            user,
            password: url.password,
            place: Place::Url { host: url.host, port: url.port, tls, client },
        })
    }

    pub(crate) fn configured(&self, reference: Option<&Reference>, what: &str) -> Result<Option<String>> {
        reference.map(|reference| self.require(reference, what)).transpose()
    }

    /// The services that are PostgreSQL servers: the configured one, and those that look like one.
    pub(crate) fn postgres_services(&self) -> Result<Vec<&str>> {
        let stated = self.config().database.service.as_deref();
        Ok(detect::all(self.model()?).into_iter().chain(stated).collect())
    }

    /// The running container of the database's service, as the engine knows it now.
    pub(crate) fn database_container(&self, service: &str) -> Result<Container> {
        let found = running(service, &self.containers()?).cloned();
        self.seen.note(found.as_ref().ok().cloned(), self.runner().changes());
        found
    }

    /// The same for a client, which may be one of many: the engine is queried again only after a change, or after a
    /// client has failed.
    pub(super) fn container_for_client(&self, service: &str) -> Result<Container> {
        self.seen.container(service, self.runner().changes()).map_or_else(|| self.database_container(service), Ok)
    }
}

/// The running container of the database's service among these.
pub(super) fn running<'c>(service: &str, containers: &'c [Container]) -> Result<&'c Container> {
    let unreachable = |message: String| Error::from(PostgresError::Unreachable { message });
    let found = containers.iter().find(|container| container.service == service && !container.one_off);
    match found {
        None => Err(unreachable(format!("service `{service}` has no container"))),
        Some(container) if container.status == Status::Running => Ok(container),
        Some(container) => Err(unreachable(format!("service `{service}` is {}", container.state()))),
    }
}
