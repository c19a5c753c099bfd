//! Making sure that environments share no data.
//!
//! Compose prefixes volumes with the project's name, and each environment is its own project. But a volume with a
//! fixed name, or a folder that is mounted into a database, is the same for all environments.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::model::{Model, Service};
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{Project, environment_names};

/// Where services keep data, with the service: a volume's name on the engine, or a folder on this machine.
type Places = BTreeMap<String, String>;

/// Refuses to start on data that another environment of this checkout uses or would use. If neither has used it yet,
/// the default environment has precedence.
pub(super) fn refuse(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    let model = project.model()?;
    let chosen = model.services.iter().filter(|(name, _)| services.contains(*name));
    let mut ours = places(project, model, chosen.map(|(name, service)| (name.as_str(), service)))?;
    ours.retain(|place, _| !is_named_after(project, model, place));
    if ours.is_empty() {
        return Ok(());
    }
    let environment = project.environment();
    let mut others = environment_names::environments(project.root(), project.config());
    others.remove(&environment.name);
    for name in others {
        // An environment that cannot be opened, for example without its env file, has no data here either.
        let Ok(other) = project.in_environment(&name) else { continue };
        if other.name() == project.name() {
            // With `project-name`, they are meant to be the same project.
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
                "use a variable in its path, with another value in each env file: `${DATA_DIR:-./data}`"
            } else {
                "remove `name:`, so that each environment has its own volume, or use a variable in it: `name: ${DATA_VOLUME}`"
            };
            return Err(Error::new(Exit::Config, message).with_hint(format!("{hint}; nothing was started")));
        }
    }
    Ok(())
}

/// Where these services keep data: every volume, and the folders mounted into PostgreSQL servers.
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

/// Whether the volume has Compose's default name with the project as its prefix.
fn is_named_after(project: &Project, model: &Model, place: &str) -> bool {
    let mut volumes = model.volumes.iter().filter(|(_, volume)| volume.name == place);
    volumes.any(|(key, volume)| !volume.external && volume.name == format!("{}_{key}", project.name()))
}

/// The volumes among these places that another compose project created.
fn labelled(project: &Project, places: &Places, owner: &str) -> Result<BTreeSet<String>> {
    let names: Vec<String> = places.keys().filter(|place| !place.starts_with('/')).cloned().collect();
    let volumes = project.owned("volume", &names)?.into_iter();
    Ok(volumes.filter(|volume| volume.owner.other_project() == Some(owner)).map(|volume| volume.name).collect())
}
