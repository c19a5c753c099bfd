//! Environments share no data.
//!
//! Compose names volumes after its project, and each environment is a project of its own; but a volume with a fixed name,
//! or a folder that a database is mounted on, is the same for all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::compose::{Model, Service};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::{Project, known};

/// Where services keep data, with the service: a volume's name on the engine, or a folder of this machine.
type Places = BTreeMap<String, String>;

/// Refuses to start on data that another environment of this checkout has, or would open. Of two that could be first,
/// that is the default one.
pub(super) fn refuse(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let model = project.model()?;
    let chosen = model.services.iter().filter(|(name, _)| services.contains(*name));
    let mut ours = places(project, model, chosen.map(|(name, service)| (name.as_str(), service)))?;
    ours.retain(|place, _| !is_named_after(project, model, place));
    if ours.is_empty() {
        return Ok(());
    }
    let environment = project.environment();
    let mut others = known::environments(project.root(), project.manifest());
    others.remove(&environment.name);
    for name in others {
        // One that cannot be opened here, as for want of its env file, has no data here either.
        let Ok(other) = project.in_environment(&name) else { continue };
        if other.name() == project.name() {
            // `project-name` says that they are to be one.
            continue;
        }
        let taken = labelled(project, &ours, other.name())?;
        let theirs = match other.model() {
            Ok(model) if !environment.is_default => {
                places(&other, model, model.active(&other.environment().profiles).into_iter())?
            }
            _ => Places::new(),
        };
        let shared = ours.iter().find(|(place, _)| taken.contains(*place) || theirs.contains_key(*place));
        if let Some((place, service)) = shared {
            let what = if place.starts_with('/') { "folder" } else { "volume" };
            let message = format!(
                "service `{service}` keeps its data in the {what} {place}, and so does the environment `{name}`"
            );
            let hint = if place.starts_with('/') {
                "put a variable into its path, with another value in each env file: `${DATA_DIR:-./data}`"
            } else {
                "leave `name:` out, so that each environment has a volume of its own, or put a variable into it: `name: ${DATA_VOLUME}`"
            };
            return Err(Error::new(Exit::Config, message).with_hint(format!("{hint}; nothing was started")));
        }
    }
    Ok(())
}

/// Where these services keep data: every volume, and the folders that a PostgreSQL server is mounted on.
fn places<'a>(
    project: &Project,
    model: &Model,
    services: impl Iterator<Item = (&'a str, &'a Service)>,
) -> Result<Places> {
    let servers = project.postgres_services()?;
    let mut places = Places::new();
    for (name, service) in services {
        for mount in &service.volumes {
            let Some(source) = &mount.source else { continue };
            let is_data =
                mount.target.starts_with("/var/lib/postgresql") && !mount.read_only && servers.contains(&name);
            let place = match mount.kind.as_str() {
                "volume" => model.volumes.get(source).map(|volume| volume.name.clone()),
                "bind" if is_data => Some(source.clone()),
                _ => None,
            };
            places.extend(place.map(|place| (place, name.to_owned())));
        }
    }
    Ok(places)
}

/// Whether it is a volume that Compose has named after the project, as it does where the files state no name.
fn is_named_after(project: &Project, model: &Model, place: &str) -> bool {
    let mut volumes = model.volumes.iter().filter(|(_, volume)| volume.name == place);
    volumes.any(|(key, volume)| !volume.external && volume.name == format!("{}_{key}", project.name()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    name: String,
    labels: Option<BTreeMap<String, String>>,
}

/// Those of the volumes that another compose project has made.
fn labelled(project: &Project, places: &Places, owner: &str) -> Result<BTreeSet<String>> {
    let names: Vec<String> = places.keys().filter(|place| !place.starts_with('/')).cloned().collect();
    let raw: Vec<Raw> = project.compose().inspect(project.runner(), "volume", &names)?;
    let label = |volume: &Raw| volume.labels.as_ref()?.get("com.docker.compose.project").cloned();
    Ok(raw.into_iter().filter(|volume| label(volume).as_deref() == Some(owner)).map(|volume| volume.name).collect())
}
