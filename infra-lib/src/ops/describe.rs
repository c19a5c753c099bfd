//! `describe`

mod backup;
mod database;
mod text;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::compose::{Container, Health};
use crate::config::ServicesAxis;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::urls::addresses;
use crate::project::{DatabaseAxis, Project, Record, environment_names};

pub use backup::LastBackup;
pub use database::DescribedDatabase;

/// Show services, networks, volumes, database and last backup.
///
/// If the engine does not answer, what only the engine knows is left out, with a note.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Describe {
    /// Show only the containers' addresses on their networks.
    #[cfg_attr(feature = "cli", arg(long))]
    pub addresses: bool,
}

/// The project as it is.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The compose project's name.
    pub project: String,
    /// The project's folder, as an absolute path.
    pub root: Utf8PathBuf,
    /// The environment that was asked about.
    pub environment: String,
    /// Whether destruction needs the typed name there.
    pub protected: bool,
    /// The environments that there are.
    pub environments: Vec<String>,
    /// The compose files, in order of precedence.
    pub files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
    /// Whether services run under Compose.
    pub services_axis: ServicesAxis,
    /// Where the database is.
    pub database_axis: DatabaseAxis,
    /// What `setup` chose, once it has.
    pub record: Option<Record>,
    /// All services of the compose files, active or not.
    pub services: Vec<DescribedService>,
    /// The project's volumes, external ones included.
    pub volumes: Vec<DescribedVolume>,
    /// The project's networks, external ones included.
    pub networks: Vec<DescribedNetwork>,
    /// The project's database; `None` if it has none, or if `problems` says why it is unknown.
    pub database: Option<DescribedDatabase>,
    /// The newest backup of the database; `None` if none can be read.
    pub last_backup: Option<LastBackup>,
    /// What could not be found out.
    pub problems: Vec<String>,
    #[serde(skip)]
    addresses_only: bool,
}

/// A service of the compose files, with its containers.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DescribedService {
    /// Its name in the compose files.
    pub name: String,
    /// The image that it runs.
    pub image: String,
    /// The folder that its image is built from, with the stage if one is named.
    pub build: Option<String>,
    /// The profiles that it belongs to.
    pub profiles: Vec<String>,
    /// Whether it is on in this environment.
    pub active: bool,
    /// Where it can be reached from this machine.
    pub urls: Vec<String>,
    /// Its containers; none: the engine could not be asked.
    pub containers: Option<Vec<DescribedContainer>>,
}

/// A container of a service.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DescribedContainer {
    /// Its name on the engine, such as `shop-web-1`.
    pub name: String,
    /// Its state in a few words.
    pub state: String,
    /// What its health check says.
    pub health: Health,
    /// Published ports, such as `127.0.0.1:8080->80/tcp`; without an address, on every interface.
    pub ports: Vec<String>,
    /// Its addresses, by network.
    pub addresses: BTreeMap<String, String>,
}

/// A volume of the compose files.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DescribedVolume {
    /// Its name on the engine.
    pub name: String,
    /// Whether another project owns it.
    pub external: bool,
    /// Which services mount it, and where.
    pub mounts: Vec<String>,
}

/// A network of the compose files.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DescribedNetwork {
    /// Its name on the engine.
    pub name: String,
    /// Whether another project owns it.
    pub external: bool,
    /// Whether it cannot reach out.
    pub internal: bool,
    /// The subnets that the compose files ask for.
    pub subnets: Vec<String>,
}

impl Operation for Describe {
    const NAME: &'static str = "describe";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = Description;

    fn run(&self, project: &Project) -> Result<Description> {
        let environment = project.environment();
        let mut description = Description {
            project: project.name().to_owned(),
            root: project.root().to_owned(),
            environment: environment.name.clone(),
            protected: environment.protected,
            environments: environment_names::environments(project.root(), project.config()).into_iter().collect(),
            files: environment.files.clone(),
            profiles: environment.profiles.clone(),
            services_axis: project.services(),
            database_axis: project.database_axis(),
            record: project.record().cloned(),
            services: Vec::new(),
            volumes: Vec::new(),
            networks: Vec::new(),
            database: None,
            last_backup: backup::last(project),
            problems: Vec::new(),
            addresses_only: self.addresses,
        };
        if project.has_services() {
            let containers = project.containers();
            if let Err(error) = &containers {
                description.problems.push(error.to_string());
            }
            if let Err(error) = description.add_model(project, containers.ok().as_deref()) {
                description.problems.push(error.to_string());
            }
        }
        match database::describe(project) {
            Ok(database) => description.database = database,
            Err(error) => description.problems.push(error.to_string()),
        }
        description.problems.dedup();
        Ok(description)
    }
}

impl DescribedContainer {
    fn from_container(container: &Container) -> Self {
        Self {
            name: container.name.clone(),
            state: container.state(),
            health: container.health,
            ports: container.published(),
            addresses: container.addresses.clone(),
        }
    }
}

impl Description {
    fn add_model(&mut self, project: &Project, containers: Option<&[Container]>) -> Result<()> {
        let model = project.model()?;
        let active = model.active(&project.environment().profiles);
        for (name, service) in &model.services {
            let own = containers.map(|containers| {
                containers
                    .iter()
                    .filter(|it| it.service == *name && !it.one_off)
                    .map(DescribedContainer::from_container)
                    .collect()
            });
            self.services.push(DescribedService {
                name: name.clone(),
                image: project.compose().image_name(name, service),
                build: service.build.as_ref().map(|build| {
                    let context = build.context.clone().unwrap_or_default();
                    let folder = context.strip_prefix(project.root().as_str()).map(|it| format!(".{it}"));
                    let folder = folder.unwrap_or(context);
                    build.target.as_ref().map_or(folder.clone(), |target| format!("{folder} ({target})"))
                }),
                profiles: service.profiles.clone(),
                active: active.contains_key(name.as_str()),
                urls: addresses(service).collect(),
                containers: own,
            });
        }
        self.volumes.extend(model.volumes.iter().map(|(key, volume)| {
            let mounts = model.services.iter().flat_map(|(name, service)| {
                let of_it = service.volumes.iter().filter(|it| it.source.as_deref() == Some(key));
                of_it.map(move |mount| format!("{name}:{}", mount.target))
            });
            DescribedVolume { name: volume.name.clone(), external: volume.external, mounts: mounts.collect() }
        }));
        self.networks.extend(model.networks.values().map(|network| DescribedNetwork {
            name: network.name.clone(),
            external: network.external,
            internal: network.internal,
            subnets: network.subnets(),
        }));
        Ok(())
    }
}

impl Outcome for Description {}
