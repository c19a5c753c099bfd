//! The owner of a container, volume, network or name on the engine.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;
use serde::Deserialize;

use crate::compose::model::Service;
use crate::project::error::Result;

use super::Project;

/// The owner of an object according to its Compose labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This project.
    Ours,
    /// Another compose project, or a project of the same name in another folder.
    Project { name: String, folder: Option<String> },
    /// It was not created by a compose project.
    NoProject,
}

impl Owner {
    /// The name of the other project that owns it, if any.
    pub(crate) fn other_project(&self) -> Option<&str> {
        match self {
            Self::Project { name, .. } => Some(name),
            Self::Ours | Self::NoProject => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("this project"),
            Self::Project { name, folder: Some(folder) } => write!(f, "the project {name} in {folder}"),
            Self::Project { name, folder: None } => write!(f, "the project {name}"),
            Self::NoProject => f.write_str("a container that no compose project made"),
        }
    }
}

/// An object on the engine with its owner.
#[derive(Debug)]
pub(crate) struct Owned {
    pub(crate) name: String,
    /// The image, for a container.
    pub(crate) image: String,
    pub(crate) owner: Owner,
}

/// A fixed container name that another project's container uses.
#[derive(Debug)]
pub(crate) struct TakenName {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) owner: Owner,
}

impl Project {
    /// Those of these objects that exist, each with its owner.
    pub(crate) fn owned(&self, kind: &str, ids: &[String]) -> Result<Vec<Owned>> {
        let objects: Vec<Object> = self.compose().inspect(self.runner(), kind, ids)?;
        let owned = objects.into_iter().map(|object| Owned {
            owner: self.owner(object.labels.or(object.config.labels).unwrap_or_default()),
            name: object.name.trim_start_matches('/').to_owned(),
            image: object.image,
        });
        Ok(owned.collect())
    }

    fn owner(&self, mut labels: BTreeMap<String, String>) -> Owner {
        let folder = labels.remove("com.docker.compose.project.working_dir");
        match labels.remove("com.docker.compose.project") {
            None => Owner::NoProject,
            Some(name) if name == self.name() && self.is_own_folder(folder.as_deref().unwrap_or_default()) => {
                Owner::Ours
            }
            Some(name) => Owner::Project { name, folder },
        }
    }

    /// Whether this working folder from a container's label is ours. Not every version of Compose sets the label.
    pub(crate) fn is_own_folder(&self, folder: &str) -> bool {
        folder.is_empty() || Utf8Path::new(folder) == self.compose().directory
    }

    /// The fixed container names of these services that are taken. Such names are global on the engine.
    pub(crate) fn taken_names<'s>(
        &self,
        services: impl Iterator<Item = (&'s str, &'s Service)>,
    ) -> Result<Vec<TakenName>> {
        let fixed: BTreeMap<String, &str> =
            services.filter_map(|(name, service)| Some((service.container_name.clone()?, name))).collect();
        let names: Vec<String> = fixed.keys().cloned().collect();
        let holders = self.owned("container", &names)?.into_iter().filter(|holder| holder.owner != Owner::Ours);
        // A name filter also matches the beginning of an id.
        let taken = holders.filter_map(|Owned { name, owner, .. }| {
            let service = (*fixed.get(&name)?).to_owned();
            Some(TakenName { service, name, owner })
        });
        Ok(taken.collect())
    }
}

/// The engine's description of an object. Where the labels are depends on its kind.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Object {
    name: String,
    image: String,
    labels: Option<BTreeMap<String, String>>,
    config: Config,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}
