//! `scale`

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::compose::Container;
use crate::config::Period;
use crate::deploy::recover;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::stack::scale;
use crate::stack::start::PATIENCE;
use crate::volumes::heal_before_start;

use super::{Scale, Settled};

/// Set the number of containers for a service.
///
/// Waits until they are ready. Existing containers and other services are left alone: what the service depends on is
/// not started. The number lasts until the next `start` of that service, which uses the compose files and its own
/// `--scale`.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ScaleServices {
    /// Service and number of containers; 0 removes them.
    #[cfg_attr(feature = "cli", arg(required = true, value_name = "SERVICE=N"))]
    pub services: Vec<Scale>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// The result of `scale`: the number of containers before and after.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScaleReport {
    /// The services that were named.
    pub services: Vec<ScaledService>,
    /// How long it took, and what is not ready.
    #[serde(flatten)]
    pub settled: Settled,
}

/// One service before and after.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScaledService {
    /// The service's name in the compose files.
    pub service: String,
    /// How many containers there were.
    pub before: usize,
    /// How many there are.
    pub after: usize,
}

impl Operation for ScaleServices {
    const NAME: &'static str = "scale";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = ScaleReport;

    fn run(&self, project: &Project) -> Result<ScaleReport> {
        let began = Instant::now();
        let recovered = recover(project, Self::NAME)?;
        let project = recovered.project(project);
        heal_before_start(project, Self::NAME)?;
        for scale in &self.services {
            scale.check(project)?;
        }
        let wanted = self.services.iter().map(|scale| (scale.service.clone(), scale.count)).collect();
        let until = began + self.timeout.map_or(PATIENCE, Period::duration);
        let scale::Scaled { before, after, readiness } = scale::scale(project, &wanted, Self::NAME, until)?;
        let services = wanted.into_keys().map(|service| ScaledService {
            before: count(&before, &service),
            after: count(&after, &service),
            service,
        });
        Ok(ScaleReport { services: services.collect(), settled: Settled::new(readiness, began) })
    }
}

fn count(containers: &[Container], service: &str) -> usize {
    containers.iter().filter(|container| container.service == service && !container.one_off).count()
}

impl Scale {
    /// An error if the service does not exist, or cannot run that often. The engine would report the latter only
    /// after it has made half of it, and would let two servers write into one data folder.
    pub(super) fn check(&self, project: &Project) -> Result<()> {
        project.known_service(&self.service)?;
        let Some(service) = project.model()?.services.get(&self.service).filter(|_| self.count > 1) else {
            return Ok(());
        };
        let (exit, reason, hint) = if project.postgres_services()?.contains(&self.service.as_str()) {
            let reason = "two PostgreSQL servers on one data folder destroy it".to_owned();
            (Exit::Refused, reason, "a replica is a service of its own, with a volume of its own")
        } else if let Some(name) = &service.container_name {
            let reason = format!("its container is always named `{name}`");
            (Exit::Config, reason, "remove `container_name` from the compose file")
        } else if let Some(port) = service.ports.iter().find_map(crate::compose::Port::host_port) {
            let reason = format!("it publishes port {port}, which only one container can have");
            (Exit::Config, reason, "publish a range of ports (`8001-8003:8000`), or none and let a proxy forward")
        } else {
            return Ok(());
        };
        Err(Error::new(exit, format!("service `{}` cannot run {} times: {reason}", self.service, self.count))
            .with_hint(hint))
    }
}

impl Outcome for ScaleReport {
    fn exit(&self) -> Exit {
        self.settled.exit()
    }

    fn next(&self) -> Vec<String> {
        self.settled.next()
    }
}

impl fmt::Display for ScaleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ScaledService { service, before, after } in &self.services {
            writeln!(f, "{service}: {before} -> {after}")?;
        }
        write!(f, "{}", self.settled)
    }
}
