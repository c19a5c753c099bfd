//! `ps`

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::compose::{Container, Health, Status};
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};
use crate::report::{ago, table};
use crate::stack::early_check::refresh;

/// List services with their containers, states and ports.
///
/// Services of this environment without a container are listed too, as is a local database. A container that the engine
/// still calls starting is healthy if it passes its health check now.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Ps {}

/// The result of `ps`: containers, and services without one.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PsReport {
    /// One for each container, and for each service without one.
    pub services: Vec<PsRow>,
}

/// A container, or a service without one.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PsRow {
    /// The service's name; `database (local)` for a local database.
    pub service: String,
    /// Its container, if it has one.
    pub container: Option<String>,
    /// The state in a few words.
    pub state: String,
    /// What the container does.
    pub status: Option<Status>,
    /// What its health check says.
    pub health: Option<Health>,
    /// The image's name, or `PostgreSQL <version>` for a local database; `None` if it is unknown.
    pub image: Option<String>,
    /// Published ports, as `address:port->port/tcp`.
    pub ports: Vec<String>,
    /// Since when it is in this state.
    pub since: Option<Timestamp>,
    /// Whether it was made by a single run of a task.
    pub one_off: bool,
}

impl Operation for Ps {
    const NAME: &'static str = "ps";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    type Outcome = PsReport;

    fn run(&self, project: &Project) -> Result<PsReport> {
        let mut services = Vec::new();
        if project.has_services() {
            let mut containers = project.containers()?;
            refresh(project, &mut containers);
            services.extend(containers.into_iter().map(PsRow::from_container));
            let active = match project.model() {
                Ok(model) => model.active(&project.environment().profiles),
                Err(error) if services.is_empty() => return Err(error),
                Err(error) => {
                    project.warn(format_args!("{error}; only what has containers is listed"));
                    BTreeMap::default()
                }
            };
            for (name, service) in active {
                if !services.iter().any(|row| row.service == name && !row.one_off) {
                    services.push(PsRow { image: service.image.clone(), ..PsRow::absent(name, "no container") });
                }
            }
            services.sort_by(|a, b| a.service.cmp(&b.service));
        }
        if project.database_axis() == DatabaseAxis::Local {
            services.push(local_database(project));
        }
        Ok(PsReport { services })
    }
}

impl PsRow {
    fn absent(service: &str, state: &str) -> Self {
        Self {
            service: service.to_owned(),
            container: None,
            state: state.to_owned(),
            status: None,
            health: None,
            image: None,
            ports: Vec::new(),
            since: None,
            one_off: false,
        }
    }

    fn from_container(container: Container) -> Self {
        let since = match container.status {
            Status::Exited | Status::Dead => container.finished,
            Status::Created => container.created,
            _ => container.started,
        };
        Self {
            state: container.state(),
            ports: container.published(),
            service: container.service,
            container: Some(container.name),
            status: Some(container.status),
            health: Some(container.health),
            image: Some(container.image),
            since,
            one_off: container.one_off,
        }
    }
}

/// The row of the cluster that runs without a container.
fn local_database(project: &Project) -> PsRow {
    const NAME: &str = "database (local)";
    let Some(status) = project.local_status() else {
        return PsRow::absent(NAME, "not set up");
    };
    let state = match (status.pid, status.ready) {
        (None, _) => "stopped",
        (Some(_), false) => "starting",
        (Some(_), true) => "running",
    };
    PsRow {
        image: Some(format!("PostgreSQL {}", status.version)),
        ports: vec![format!("127.0.0.1:{}", status.port)],
        since: status.since,
        ..PsRow::absent(NAME, state)
    }
}

impl Outcome for PsReport {}

impl fmt::Display for PsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.services.is_empty() {
            return f.write_str("this environment has no services");
        }
        let now = Timestamp::now();
        let rows = self.services.iter().map(|row| {
            [
                if row.one_off { format!("{} (run)", row.service) } else { row.service.clone() },
                row.container.clone().unwrap_or_else(|| "-".to_owned()),
                row.state.clone(),
                row.since.map(|since| ago(since, now)).unwrap_or_default(),
                row.ports.join(", "),
            ]
        });
        f.write_str(&table(["SERVICE", "CONTAINER", "STATE", "SINCE", "PORTS"], rows))
    }
}
