//! Names on the engine that this project shares with somebody else, and things outside of it that must exist.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::compose::Model;
use crate::probe::{Check, Snapshot};

const KIND: &str = "name";

/// An object of the engine with its labels, wherever the engine keeps them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    name: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}

impl Object {
    fn label(&self, key: &str) -> Option<&str> {
        let labels = self.labels.as_ref().or_else(|| self.config.as_ref()?.labels.as_ref())?;
        labels.get(&format!("com.docker.compose.{key}")).map(String::as_str)
    }
}

pub(super) fn look(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let (Some(model), Ok(_)) = (snapshot.model(), snapshot.engine()) else { return Vec::new() };
    let mut checks = containers(snapshot);
    checks.extend(volumes(snapshot, model));
    checks.extend(networks(snapshot, model));
    if checks.is_empty() {
        checks.push(Check::ok(KIND, snapshot.project.name(), "its containers, volumes and networks are its own"));
    }
    checks
}

fn inspect(snapshot: &Snapshot<'_>, kind: &str, names: &[String]) -> Vec<Object> {
    let project = snapshot.project;
    project.compose().inspect(project.runner(), kind, names).unwrap_or_default()
}

fn containers(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let own = snapshot.project.name();
    let fixed: BTreeMap<&str, &str> = snapshot
        .services
        .iter()
        .filter_map(|(name, service)| Some((service.container_name.as_deref()?, *name)))
        .collect();
    let names: Vec<String> = fixed.keys().map(|&name| name.to_owned()).collect();
    let holders = inspect(snapshot, "container", &names);
    let taken = holders.iter().filter_map(|holder| {
        let name = holder.name.trim_start_matches('/');
        let service = fixed.get(name)?;
        let owner = match (holder.label("project"), holder.label("project.working_dir")) {
            (Some(project), _) if project == own => return None,
            (Some(project), Some(dir)) => format!("the project {project} in {dir}"),
            (Some(project), None) => format!("the project {project}"),
            (None, _) => "a container that no compose project made".to_owned(),
        };
        let check = Check::fail(KIND, *service, format!("its container name `{name}` is taken by {owner}"));
        Some(check.with_hint("leave `container_name` out of the compose file, or remove that container"))
    });
    taken.collect()
}

fn volumes(snapshot: &Snapshot<'_>, model: &Model) -> Vec<Check> {
    let own = snapshot.project.name();
    let used: BTreeSet<&str> = snapshot
        .services
        .values()
        .flat_map(|service| &service.volumes)
        .filter_map(|mount| mount.source.as_deref())
        .collect();
    let volumes: Vec<_> = model.volumes.iter().filter(|(key, _)| used.contains(key.as_str())).collect();
    let names: Vec<String> = volumes.iter().map(|(_, volume)| volume.name.clone()).collect();
    let found = inspect(snapshot, "volume", &names);
    let mut checks = Vec::new();
    for (key, volume) in volumes {
        let name = &volume.name;
        let object = found.iter().find(|object| object.name == *name);
        if volume.external {
            if object.is_none() {
                checks.push(
                    Check::fail("volume", name, "is declared as external and does not exist")
                        .with_hint(format!("`docker volume create {name}`, or take `external: true` out")),
                );
            }
            continue;
        }
        let owner = object.and_then(|object| object.label("project"));
        if let Some(owner) = owner.filter(|owner| *owner != own) {
            checks.push(
                Check::fail(
                    "volume",
                    name,
                    format!("belongs to the compose project {owner}: two databases on one volume destroy it"),
                )
                .with_hint(format!(
                    "take the fixed `name:` of the volume `{key}` out of the compose file, or put a variable into it"
                )),
            );
        } else if *name != format!("{own}_{key}") && shared(snapshot) {
            checks.push(
                Check::warn(
                    "volume",
                    name,
                    "has a fixed name, so that every environment of this project would use the same data",
                )
                .with_hint(format!(
                    "take `name:` of the volume `{key}` out of the compose file, or put a variable into it"
                )),
            );
        }
    }
    checks
}

/// Whether this project has another environment that is kept apart by its name alone.
fn shared(snapshot: &Snapshot<'_>) -> bool {
    let project = snapshot.project;
    let own = &project.environment().name;
    project.manifest().environments.keys().any(|name| name != own) || !project.environment().is_default
}

fn networks(snapshot: &Snapshot<'_>, model: &Model) -> Vec<Check> {
    let own = snapshot.project.name();
    let used: BTreeSet<&str> =
        snapshot.services.values().flat_map(|service| service.networks.keys()).map(String::as_str).collect();
    let networks: Vec<_> = model.networks.iter().filter(|(key, _)| used.contains(key.as_str())).collect();
    let names: Vec<String> = networks.iter().map(|(_, network)| network.name.clone()).collect();
    let found = inspect(snapshot, "network", &names);
    let mut checks = Vec::new();
    for (key, network) in networks {
        let name = &network.name;
        let object = found.iter().find(|object| object.name == *name);
        match object {
            None if network.external => checks.push(
                Check::fail("network", name, "network missing: it is declared as external and does not exist")
                    .with_hint(format!("`docker network create {name}`, or take `external: true` out")),
            ),
            Some(object) if !network.external && object.label("project").is_some_and(|owner| owner != own) => {
                let owner = object.label("project").unwrap_or_default();
                checks.push(
                    Check::fail("network", name, format!("belongs to the compose project {owner}: Compose refuses to start"))
                        .with_hint(format!("take the fixed `name:` of the network `{key}` out of the compose file, or put a variable into it")),
                );
            }
            _ => {}
        }
    }
    checks
}
