//! Names on the engine that another project uses as well, and external objects that must exist.

use std::collections::BTreeSet;

use crate::compose::Model;
use crate::probe::{Check, Snapshot};
use crate::project::owner::{Owned, Owner, TakenName};

const KIND: &str = "name";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let (Some(model), Ok(_)) = (snapshot.model(), snapshot.engine()) else { return Vec::new() };
    let mut checks = containers(snapshot);
    checks.extend(volumes(snapshot, model));
    checks.extend(networks(snapshot, model));
    if checks.is_empty() {
        checks.push(Check::ok(KIND, snapshot.project.name(), "its containers, volumes and networks are its own"));
    }
    checks
}

fn owned(snapshot: &Snapshot<'_>, kind: &str, names: &[String]) -> Vec<Owned> {
    snapshot.project.owned(kind, names).unwrap_or_default()
}

fn containers(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let services = snapshot.services.iter().map(|(name, service)| (*name, *service));
    let taken = snapshot.project.taken_names(services).unwrap_or_default();
    let taken = taken.into_iter().map(|TakenName { service, name, owner }| {
        Check::fail(KIND, service, format!("its container name `{name}` is taken by {owner}"))
            .with_hint("leave `container_name` out of the compose file, or remove that container")
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
    let found = owned(snapshot, "volume", &names);
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
        if let Some(owner) = object.and_then(|object| object.owner.other_project()) {
            checks.push(
                Check::fail(
                    "volume",
                    name,
                    format!("belongs to the compose project {owner}: two databases on one volume destroy it"),
                )
                .with_hint(format!(
                    "take the fixed `name:` of the volume `{key}` out of the compose file, or use a variable in it"
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
                    "take `name:` of the volume `{key}` out of the compose file, or use a variable in it"
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
    project.config().environments.keys().any(|name| name != own) || !project.environment().is_default
}

fn networks(snapshot: &Snapshot<'_>, model: &Model) -> Vec<Check> {
    let used: BTreeSet<&str> =
        snapshot.services.values().flat_map(|service| service.networks.keys()).map(String::as_str).collect();
    let networks: Vec<_> = model.networks.iter().filter(|(key, _)| used.contains(key.as_str())).collect();
    let names: Vec<String> = networks.iter().map(|(_, network)| network.name.clone()).collect();
    let found = owned(snapshot, "network", &names);
    let mut checks = Vec::new();
    for (key, network) in networks {
        let name = &network.name;
        let object = found.iter().find(|object| object.name == *name);
        match object {
            None if network.external => checks.push(
                Check::fail("network", name, "network missing: it is declared as external and does not exist")
                    .with_hint(format!("`docker network create {name}`, or take `external: true` out")),
            ),
            Some(Owned { owner: Owner::Project { name: owner, .. }, .. }) if !network.external => {
                checks.push(
                    Check::fail(
                        "network",
                        name,
                        format!("belongs to the compose project {owner}: Compose refuses to start"),
                    )
                    .with_hint(format!(
                        "take the fixed `name:` of the network `{key}` out of the compose file, or use a variable in it"
                    )),
                );
            }
            _ => {}
        }
    }
    checks
}
