//! What is this project's on the engine.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::exec::Invocation;
use crate::manifest::ByteSize;
use crate::project::{DatabaseAxis, OwnVolume, Project};

use super::Clean;

/// Something that can be removed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// By what the engine knows it.
    #[serde(skip)]
    pub(super) id: String,
    /// How large it is, where that is known.
    pub bytes: Option<u64>,
}

/// What an object is; they are removed in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// An image that was built for this project.
    Image,
    /// A builder of this project's own.
    Builder,
    /// The local database cluster.
    LocalDatabase,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Image => "image",
            Kind::Builder => "builder",
            Kind::LocalDatabase => "local database",
        };
        write!(f, "{kind} {}", self.name)?;
        match self.bytes {
            Some(bytes) => write!(f, " ({})", ByteSize::new(bytes)),
            None => Ok(()),
        }
    }
}

/// What a `clean` would remove, and what it would not.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub(super) objects: Vec<Object>,
    pub(super) left: Vec<String>,
    /// Whether something carries only the project's name, which another checkout may share.
    pub(super) ambiguous: bool,
}

impl Inventory {
    pub(super) fn take(project: &Project, options: &Clean) -> Result<Self> {
        let Clean { volumes, images, build_cache, all, discard_data: _ } = *options;
        let mut inventory = Self::default();
        if project.has_services() {
            inventory.containers(project)?;
            inventory.networks(project)?;
            if volumes || all {
                inventory.volumes(project)?;
            }
            if images || all {
                inventory.images(project)?;
            }
            if build_cache || all {
                inventory.builder(project);
            }
        }
        if (volumes || all)
            && project.database_axis() == DatabaseAxis::Local
            && let Some((dir, bytes)) = project.local_database_size()
        {
            inventory.objects.push(Object {
                kind: Kind::LocalDatabase,
                name: dir.to_string(),
                id: dir.into_string(),
                bytes: Some(bytes),
            });
        }
        inventory.objects.sort_by_key(|object| object.kind);
        Ok(inventory)
    }

    /// Whether data is among it.
    pub(super) fn has_data(&self) -> bool {
        self.objects.iter().any(|object| matches!(object.kind, Kind::Volume | Kind::LocalDatabase))
    }

    fn push(&mut self, kind: Kind, name: &str, id: &str, bytes: Option<u64>) {
        self.objects.push(Object { kind, name: name.to_owned(), id: id.to_owned(), bytes });
    }

    /// Those that were started from this folder; a container of this name from another folder is an error before.
    fn containers(&mut self, project: &Project) -> Result<()> {
        for container in project.containers()? {
            self.push(Kind::Container, &container.name, &container.id, None);
        }
        Ok(())
    }

    /// Those of this name on which nobody else is, and which the files do not call somebody else's.
    fn networks(&mut self, project: &Project) -> Result<()> {
        let stated = &project.model()?.networks;
        let is_external = |name: &str| stated.values().any(|network| network.external && network.name == name);
        let own: Vec<String> = self.objects.iter().map(|object| object.id.clone()).collect();
        let networks: Vec<RawNetwork> = objects(project, "network")?;
        for network in networks.into_iter().filter(|network| !is_external(&network.name)) {
            if let Some(guest) = network.containers.iter().find(|(id, _)| !own.contains(id)) {
                self.left
                    .push(format!("network {}: container {} of somebody else's is on it", network.name, guest.1.name));
            } else {
                self.push(Kind::Network, &network.name, &network.id, None);
            }
        }
        Ok(())
    }

    /// Those that `start` has noted, or that our containers use. Others that only carry our name are ambiguous: the name
    /// may be another checkout's too.
    fn volumes(&mut self, project: &Project) -> Result<()> {
        // Sizes are for the question that is asked; without them it is asked all the same.
        let usage = project.compose().usage(project.runner()).unwrap_or_default();
        for OwnVolume { name, certain, .. } in project.own_volumes(&project.containers()?)? {
            self.ambiguous |= !certain;
            self.push(Kind::Volume, &name, &name, usage.volume(&name));
        }
        Ok(())
    }

    /// Those that Compose built for this project; pulled ones are shared with everybody.
    fn images(&mut self, project: &Project) -> Result<()> {
        let images: Vec<RawImage> = objects(project, "image")?;
        let others = foreign_images(project)?;
        for image in images {
            let name = image.tags.first().cloned().unwrap_or_else(|| image.id.clone());
            if others.contains(&image.id) {
                self.left.push(format!("image {name}: a container of another project uses it"));
            } else {
                for tag in if image.tags.is_empty() { vec![image.id.clone()] } else { image.tags } {
                    self.push(Kind::Image, &tag, &tag, Some(image.size));
                }
            }
        }
        Ok(())
    }

    /// The engine's own build cache does not say which project a layer belongs to; a builder of one's own does.
    fn builder(&mut self, project: &Project) {
        let name = format!("infra-{}", project.name());
        let exists = project.runner().read(&Invocation::new("docker").args(["buildx", "inspect", &name])).is_ok();
        if exists {
            self.push(Kind::Builder, &name, &name, None);
        } else {
            self.left.push(format!(
                "the build cache: the engine's is shared by all projects and does not say whose a layer is (`docker buildx create --name {name}` \
                 makes a builder of this project's own)"
            ));
        }
    }
}

/// The objects of a kind that carry this project's name.
fn objects<T: DeserializeOwned>(project: &Project, kind: &str) -> Result<Vec<T>> {
    let (compose, runner) = (project.compose(), project.runner());
    Ok(compose.inspect(runner, kind, &compose.labelled(runner, kind)?)?)
}

/// The images that containers of other projects use.
fn foreign_images(project: &Project) -> Result<Vec<String>> {
    let list = Invocation::new("docker").args(["ps", "-aq", "--no-trunc"]);
    let ids: Vec<String> = project.compose().read(project.runner(), &list)?.text().lines().map(str::to_owned).collect();
    let containers: Vec<RawContainer> = project.compose().inspect(project.runner(), "container", &ids)?;
    let is_foreign = |container: &RawContainer| {
        container
            .config
            .labels
            .as_ref()
            .and_then(|labels| labels.get("com.docker.compose.project"))
            .and_then(|label| label.as_str())
            != Some(project.name())
    };
    Ok(containers.into_iter().filter(is_foreign).map(|container| container.image).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNetwork {
    id: String,
    name: String,
    #[serde(default)]
    containers: std::collections::BTreeMap<String, RawGuest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawGuest {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawImage {
    id: String,
    #[serde(default, rename = "RepoTags")]
    tags: Vec<String>,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawContainer {
    image: String,
    config: RawConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    labels: Option<serde_json::Map<String, serde_json::Value>>,
}
