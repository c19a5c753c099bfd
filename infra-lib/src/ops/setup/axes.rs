//! Choosing whether services run and where the database is. Nothing else ever chooses.

use std::fmt;

use jiff::Timestamp;

use crate::compose::{ComposeError, Engine};
use crate::config::ServicesAxis;
use crate::exit::Exit;
use crate::failure::Failure as _;
use crate::postgres::local;
use crate::project::error::{Error, Result};
use crate::project::nearby::Nearby;
use crate::project::{DatabaseAxis, Project, Record};

use super::Setup;

/// The choice, with the engine if there is one.
pub(super) struct Axes {
    pub(super) services: ServicesAxis,
    pub(super) database: DatabaseAxis,
    engine: Option<Engine>,
}

/// What was asked for, else what is pinned, else what was chosen before, else what this machine has.
pub(super) fn choose(project: &Project, options: &Setup) -> Result<Axes> {
    let manifest = project.config();
    let recorded = project.record();
    let pinned = options.services.or(manifest.compose.services).or_else(|| recorded.map(|record| record.services));
    let is_chosen = pinned.is_some() || options.database.is_some() || project.own_database_axis().is_some();
    let database = &manifest.database;
    // Without a compose file, services are not wanted; unless it only is in another place.
    if project.compose().files.is_empty()
        && !is_chosen
        && database.url.is_none()
        && database.local.is_none()
        && let Some(nearby) = Nearby::below(project.root())
    {
        let error = nearby.error(project.root(), true);
        let hint = error.hint().unwrap_or_default();
        return Err(error.with_hint(format!("{hint}; `cargo xtask setup --services none` works without it")));
    }
    let engine = match pinned {
        Some(ServicesAxis::None) => None,
        _ if project.compose().files.is_empty() => None,
        _ => match engine(project) {
            Ok(engine) => Some(engine),
            // If services were requested, or ran before, report why there are none now.
            Err(error) if pinned.is_some() => return Err(error.into()),
            Err(error) => {
                let way_out = error.hint().unwrap_or_default();
                project.warn(format_args!("{error}; continuing without services, with a local database ({way_out})"));
                None
            }
        },
    };
    let services = if engine.is_some() { ServicesAxis::Compose } else { ServicesAxis::None };
    let kept = recorded.filter(|record| record.services == services).map(|record| record.database);
    let own = project.own_database_axis();
    if let (Some(own), Some(asked)) = (own, options.database)
        && own != asked
    {
        let name = &project.environment().name;
        return Err(Error::new(
            Exit::Usage,
            format!("infra.toml defines the database of environment `{name}`; `--database` cannot override it"),
        )
        .with_hint(format!("change `[environments.{name}.database]`")));
    }
    let database = match own.or(options.database).or(kept) {
        Some(database) => database,
        None if manifest.database.url.is_some() => DatabaseAxis::Url,
        None if services == ServicesAxis::None || manifest.database.local.is_some() => DatabaseAxis::Local,
        None => DatabaseAxis::Service,
    };
    if database == DatabaseAxis::Service && services == ServicesAxis::None {
        return Err(Error::new(Exit::Usage, "without services, the database cannot be a service")
            .with_hint("use `--database local` or `--database url`"));
    }
    Ok(Axes { services, database, engine })
}

/// An engine that answers and a Compose that is new enough.
fn engine(project: &Project) -> std::result::Result<Engine, ComposeError> {
    project.compose().supported_version(project.runner())?;
    Engine::query(project.runner())
}

impl Axes {
    /// What would be chosen where nothing is missing.
    pub(super) fn expected(project: &Project, options: &Setup) -> Self {
        let usual = if project.compose().files.is_empty() { ServicesAxis::None } else { project.services() };
        let services = options.services.unwrap_or(usual);
        let database = match services {
            ServicesAxis::None if project.database_axis() == DatabaseAxis::Service => DatabaseAxis::Local,
            _ => project.database_axis(),
        };
        Self { services, database: options.database.unwrap_or(database), engine: None }
    }

    /// The record of this choice; a local cluster is made now if there is none yet.
    pub(super) fn record(&self, project: &Project) -> Result<Record> {
        let before = project.record();
        let mut local = before.map(|record| record.local.clone()).unwrap_or_default();
        if self.database == DatabaseAxis::Local {
            let cluster = local::ensure(project, project.local_record())?;
            local.insert(project.environment().name.clone(), cluster);
        }
        Ok(Record {
            services: self.services,
            // A setting of one environment is not a choice for the others.
            database: match project.own_database_axis() {
                Some(_) => before.map_or(DatabaseAxis::Service, |record| record.database),
                None => self.database,
            },
            engine: self.engine.clone(),
            project_name: before.and_then(|record| record.project_name.clone()),
            local,
            at: before.map_or_else(Timestamp::now, |record| record.at),
        })
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = match self.services {
            ServicesAxis::Compose => "Docker Compose runs the services",
            ServicesAxis::None => "no services run",
        };
        let database = match self.database {
            DatabaseAxis::Service => "one of them is the database",
            DatabaseAxis::Local => "the database is a local cluster",
            DatabaseAxis::Url => "the database is at its URL",
        };
        write!(f, "{services}; {database}")
    }
}
