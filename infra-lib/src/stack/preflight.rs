//! Checks before any container is started.

use std::collections::BTreeSet;

use crate::compose::container::Container;
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::project::error::{Error, Result};
use crate::project::owner::TakenName;
use crate::project::{Project, VolumeWatch};

use super::subnets::clashes::clashes;
use super::{ports, secrets, shared_data};

/// Passed checks for some services, with the lock under which they start. All code that starts containers of the
/// stack needs one, so that the checks cannot be bypassed.
pub(crate) struct Preflight {
    /// The containers before the start.
    pub(crate) before: Vec<Container>,
    /// Records the volumes that the start creates; before the lock is released.
    _volumes: Option<VolumeWatch>,
    _lock: Option<Guard>,
}

impl Preflight {
    /// Takes the stack's lock and checks the services that `select` returns for the existing containers.
    ///
    /// # Errors
    ///
    /// If the start would fail halfway, or leave a protected environment insecure.
    pub(crate) fn check(
        project: &Project,
        operation: &str,
        select: impl FnOnce(&[Container]) -> Result<BTreeSet<String>>,
    ) -> Result<Self> {
        let passed = Self::lock(project, operation)?;
        let services = select(&passed.before)?;
        passed.check_services(project, &services, &services)?;
        Ok(passed)
    }

    /// Like `check`, for a container of `docker compose run` and the dependencies of its service. Such a container
    /// publishes no ports and has its own name.
    pub(crate) fn check_one_off(project: &Project, operation: &str, service: &str) -> Result<Self> {
        let passed = Self::lock(project, operation)?;
        let all: BTreeSet<String> =
            project.model()?.with_dependencies([service]).into_keys().map(str::to_owned).collect();
        let others = all.iter().filter(|name| *name != service).cloned().collect();
        passed.check_services(project, &all, &others)?;
        Ok(passed)
    }

    fn lock(project: &Project, operation: &str) -> Result<Self> {
        // A deploy holds it from its beginning to its end.
        let is_held = project.is_deploying();
        let lock = if is_held { None } else { project.lock(Lock::Stack, Mode::Exclusive, operation)? };
        let (before, volumes) = if project.has_services() {
            // Report problems in the project's own files even if the engine is unreachable.
            project.model()?;
            (project.containers()?, project.watch_volumes()?)
        } else {
            (Vec::new(), None)
        };
        Ok(Self { before, _volumes: volumes, _lock: lock })
    }

    /// `published` are the services whose ports and container names are needed.
    fn check_services(
        &self,
        project: &Project,
        services: &BTreeSet<String>,
        published: &BTreeSet<String>,
    ) -> Result<()> {
        if !project.has_services() {
            return secrets::refuse_open(project, services);
        }
        if let Err(missing) = project.expect_env_file() {
            project.warn(format_args!("{missing}: {}", missing.hint().unwrap_or_default()));
        }
        require_variables(project, services)?;
        secrets::refuse_open(project, services)?;
        shared_data::refuse(project, services)?;
        ports::refuse_taken(project, published, &self.before)?;
        refuse_taken_subnets(project, services)?;
        refuse_taken_names(project, published)
    }
}

/// Warns of variables that are not set, for which Compose uses an empty text. In a protected environment, they are an
/// error. Services that are not active are ignored.
fn require_variables(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let mut unset = project.model()?.unset.clone();
    if unset.is_empty() {
        return Ok(());
    }
    let sources = project.sources();
    unset.retain(|variable| services.iter().any(|service| sources.uses(service, variable)));
    let Some(first) = unset.first() else { return Ok(()) };
    let file = &project.environment().own_env_file;
    let hint = format!("set them in {file}, or give them a default in the compose file: ${{{first}:-}}");
    let message = format!("the compose files use variables that are not set: {}", unset.join(", "));
    if !project.environment().protected {
        project.warn(format_args!("{message}; {hint}"));
        return Ok(());
    }
    Err(Error::new(Exit::Config, message).with_hint(hint))
}

/// Returns an error if a subnet is taken. Compose only fails after creating some of the networks, and does not say
/// which network has the range. Even for one service, it creates the networks of all active ones. Existing networks
/// are left alone.
fn refuse_taken_subnets(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let model = project.model()?;
    let active = model.active(&project.environment().profiles).into_keys().map(str::to_owned);
    let on: BTreeSet<String> = active.chain(services.iter().cloned()).collect();
    let clashes = clashes(project, model, Some(&on));
    let Some(clash) = clashes.into_iter().find(|clash| !clash.exists) else { return Ok(()) };
    let message = format!("the subnet {} of the network {} overlaps {}", clash.subnet, clash.network, clash.holder);
    Err(Error::new(Exit::Failed, message).with_hint(format!("{}; nothing was started", clash.hint)))
}

/// Returns an error if a fixed container name is taken. Compose only fails after starting half of the stack, and does
/// not name the owner.
fn refuse_taken_names(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let wanted = project.model()?.services.iter().filter(|(name, _)| services.contains(*name));
    let taken = project.taken_names(wanted.map(|(name, service)| (name.as_str(), service)))?;
    let Some(TakenName { service, name, owner }) = taken.into_iter().next() else { return Ok(()) };
    Err(Error::new(Exit::Failed, format!("the container name `{name}` of service `{service}` is taken by {owner}"))
        .with_hint("remove `container_name`, so that each project has its own names, or remove that container; nothing was started"))
}
