//! What can be known to go wrong before anything is started.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::checks;
use crate::compose::{self, Container, Engine, Status};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

/// Compose only warns about a variable that is not set, and goes on with an empty text. What services that are off
/// would need is no concern of this start.
pub(super) fn require_variables(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let mut unset = project.model()?.unset.clone();
    if unset.is_empty() {
        return Ok(());
    }
    let raw = project.compose().raw_model(project.runner())?;
    unset.retain(|variable| services.iter().any(|service| raw.uses(service, variable)));
    let Some(first) = unset.first() else { return Ok(()) };
    let file = &project.environment().own_env_file;
    let hint = format!("set them in {file}, or give them a default in the compose file: ${{{first}:-}}");
    let message = format!("the compose files use variables that are set nowhere: {}", unset.join(", "));
    Err(Error::new(Exit::Config, message).with_hint(hint))
}

/// A taken port is known before anything is started.
pub(super) fn refuse_taken_ports(project: &Project, services: &BTreeSet<String>, before: &[Container]) -> Result<()> {
    if Engine::is_remote() {
        return Ok(());
    }
    let model = project.model()?;
    for (name, service) in model.services.iter().filter(|(name, _)| services.contains(*name)) {
        if before.iter().any(|container| container.service == *name && container.status == Status::Running) {
            continue;
        }
        if let Some(taken) =
            service.ports.iter().find_map(|port| compose::taken(project.compose(), project.runner(), port))
        {
            return Err(Error::new(Exit::Failed, format!("port {} of service `{name}` is taken by {}", taken.port, taken.holder)).with_hint(
                "stop that, or choose another port in the env file; `cargo xtask setup` finds a free one by itself; nothing was started",
            ));
        }
    }
    Ok(())
}

/// Compose makes networks one after the other, and only then learns that the engine has no room for one; it does not say
/// who has the range. Even for one service it makes those of all that are on. A network that is there already is left to serve.
pub(super) fn refuse_taken_subnets(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let model = project.model()?;
    let active = model.active(&project.environment().profiles).into_keys().map(str::to_owned);
    let on: BTreeSet<String> = active.chain(services.iter().cloned()).collect();
    let clashes = checks::subnet_clashes(project, model, Some(&on));
    let Some(clash) = clashes.into_iter().find(|clash| !clash.exists) else { return Ok(()) };
    let message = format!("the subnet {} of the network {} overlaps {}", clash.subnet, clash.network, clash.holder);
    Err(Error::new(Exit::Failed, message).with_hint(format!("{}; nothing was started", clash.hint)))
}

/// A fixed container name is the engine's, not the project's: Compose only learns that somebody else has it after it has
/// started half of the stack, and does not say who.
pub(super) fn refuse_taken_names(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let model = project.model()?;
    let fixed: BTreeMap<&str, &str> = model
        .services
        .iter()
        .filter(|(name, _)| services.contains(*name))
        .filter_map(|(name, service)| Some((service.container_name.as_deref()?, name.as_str())))
        .collect();
    let names: Vec<String> = fixed.keys().map(|&name| name.to_owned()).collect();
    let holders: Vec<Holder> = project.compose().inspect(project.runner(), "container", &names)?;
    for holder in holders {
        let name = holder.name.trim_start_matches('/');
        // What else an id or its beginning may have matched is of no interest.
        let Some(service) = fixed.get(name) else { continue };
        let label = |key: &str| holder.config.labels.as_ref()?.get(&format!("com.docker.compose.{key}")).cloned();
        let owner = match (label("project"), label("project.working_dir")) {
            (Some(owner), _) if owner == project.name() => continue,
            (Some(owner), Some(dir)) => format!("the project {owner} in {dir}"),
            (Some(owner), None) => format!("the project {owner}"),
            (None, _) => "a container that no compose project made".to_owned(),
        };
        return Err(Error::new(Exit::Failed, format!("the container name `{name}` of service `{service}` is taken by {owner}"))
            .with_hint("leave `container_name` out, so that each project has names of its own, or remove that container; nothing was started"));
    }
    Ok(())
}

/// Who has a container name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Holder {
    name: String,
    config: HolderConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HolderConfig {
    labels: Option<BTreeMap<String, String>>,
}
