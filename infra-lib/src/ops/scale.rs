//! `scale`

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use serde::Serialize;

use crate::compose::Container;
use crate::compose::readiness::Baseline;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::Period;
use crate::operation::{Group, Operation, Outcome};
use crate::project::Project;

use super::{Scale, Settled};

/// Run so many containers of a service, and wait until ready.
///
/// Containers that are there already are left alone. It holds until the next `start`, which goes by the compose files
/// and its own `--scale`.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ScaleServices {
    /// The service, and how many containers of it; 0 removes them.
    #[cfg_attr(feature = "cli", arg(required = true, value_name = "SERVICE=N"))]
    pub services: Vec<Scale>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// How scaling ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScaleReport {
    /// The services that were named.
    pub services: Vec<Scaled>,
    /// How waiting ended.
    #[serde(flatten)]
    pub settled: Settled,
}

/// One service before and after.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Scaled {
    /// The service.
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
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        for scale in &self.services {
            scale.check(project)?;
        }
        let before = project.containers()?;
        let names: BTreeSet<String> = self.services.iter().map(|scale| scale.service.clone()).collect();
        let wanted = self.services.iter().map(ToString::to_string).collect::<Vec<_>>();
        project.step(format_args!("scaling {}", wanted.join(", ")));
        let mut call = project.compose().call(["up", "-d", "--no-recreate"]).relay("compose");
        for scale in &wanted {
            call = call.args(["--scale", scale]);
        }
        project.compose().change(project.runner(), &call.args(names.iter().cloned()))?;
        let until = began + self.timeout.map_or(super::start::PATIENCE, Period::duration);
        let mut after = project.containers()?;
        let readiness = project.wait_ready_from(&mut after, &names, &Baseline::of(&before), until)?;
        let services = names.into_iter().map(|service| Scaled {
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
    /// An error if there is no such service, or what it has cannot be had so often. The engine would say the latter only
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
        for Scaled { service, before, after } in &self.services {
            writeln!(f, "{service}: {before} -> {after}")?;
        }
        write!(f, "{}", self.settled)
    }
}
