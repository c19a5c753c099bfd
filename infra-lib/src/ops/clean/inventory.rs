//! What is this project's on the engine.

use std::fmt;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::compose::container::Container;
use crate::compose::usage::Usage;
use crate::config::ByteSize;
use crate::deploy::images::all_tags;
use crate::exec::Invocation;
use crate::project::error::Result;
use crate::project::owner::Owner;
use crate::project::{DatabaseAxis, OwnVolume, Project};

use super::Clean;

/// Something that can be removed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CleanObject {
    /// The kind of object, such as a container or a volume.
    pub kind: CleanKind,
    /// Its name on the engine, or the id of an untagged image; for the local database, its folder.
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
pub enum CleanKind {
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

impl CleanObject {
    fn new(kind: CleanKind, name: &str, id: &str, bytes: Option<u64>) -> Self {
        Self { kind, name: name.to_owned(), id: id.to_owned(), bytes }
    }
}

impl fmt::Display for CleanObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CleanKind::Container => "container",
            CleanKind::Network => "network",
            CleanKind::Volume => "volume",
            CleanKind::Image => "image",
            CleanKind::Builder => "builder",
            CleanKind::LocalDatabase => "local database",
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
    /// The project's containers, whatever their state.
    pub(super) containers: Vec<Container>,
    pub(super) objects: Vec<CleanObject>,
    pub(super) left: Vec<String>,
    /// Whether something carries only the project's name, which another checkout may share.
    pub(super) ambiguous: bool,
}

impl Inventory {
    pub(super) fn take(project: &Project, options: &Clean) -> Result<Self> {
        let Clean { volumes, images, build_cache, all, discard_data: _ } = *options;
        let mut inventory = Self::default();
        if project.has_services() {
            let (volumes, images, build_cache) = (volumes || all, images || all, build_cache || all);
            // Each question takes the client as long; none needs another's answer.
            let (model, containers, networks, usage, built, builder) = thread::scope(|scope| {
                let containers = scope.spawn(|| project.containers());
                let networks = scope.spawn(|| objects(project, "network"));
                // Sizes are for the question that is asked; without them it is asked all the same.
                let usage = scope.spawn(|| volumes.then(|| project.compose().usage(project.runner()).ok()).flatten());
                let built = scope.spawn(|| images.then(|| objects(project, "image")).transpose());
                let builder = scope.spawn(|| build_cache.then(|| builder(project)));
                let model = project.model().map(|_| ());
                (model, joined(containers), joined(networks), joined(usage), joined(built), joined(builder))
            });
            inventory.containers = containers?;
            if let Err(error) = model {
                // Its containers are known by their labels; what else is ours, only the files say.
                if volumes || images || build_cache {
                    return Err(error);
                }
                project.warn(format_args!("{error}; the networks are left alone"));
                inventory.push_containers();
                return Ok(inventory);
            }
            inventory.push_containers();
            inventory.networks(project, networks?)?;
            if volumes {
                inventory.volumes(project, &usage.unwrap_or_default())?;
            }
            inventory.images(project, built?.unwrap_or_default())?;
            if images {
                inventory.release_tags(project)?;
            }
            match builder {
                Some(Ok(name)) => inventory.push(CleanKind::Builder, &name, &name, None),
                Some(Err(left)) => inventory.left.push(left),
                None => {}
            }
        }
        if (volumes || all)
            && project.database_axis() == DatabaseAxis::Local
            && let Some((dir, bytes)) = project.local_database_size()
        {
            inventory.push(CleanKind::LocalDatabase, dir.as_str(), dir.as_str(), Some(bytes));
        }
        inventory.objects.sort_by_key(|object| object.kind);
        Ok(inventory)
    }

    /// Whether data is among it.
    pub(super) fn has_data(&self) -> bool {
        self.objects.iter().any(|object| matches!(object.kind, CleanKind::Volume | CleanKind::LocalDatabase))
    }

    fn push_containers(&mut self) {
        let object = |it: &Container| CleanObject::new(CleanKind::Container, &it.name, &it.id, None);
        self.objects.extend(self.containers.iter().map(object));
    }

    fn push(&mut self, kind: CleanKind, name: &str, id: &str, bytes: Option<u64>) {
        self.objects.push(CleanObject::new(kind, name, id, bytes));
    }

    /// Those with this name that only this project uses, and that the files do not declare as external.
    fn networks(&mut self, project: &Project, networks: Vec<RawNetwork>) -> Result<()> {
        let stated = &project.model()?.networks;
        let is_external = |name: &str| stated.values().any(|network| network.external && network.name == name);
        let own: Vec<String> = self.objects.iter().map(|object| object.id.clone()).collect();
        for network in networks.into_iter().filter(|network| !is_external(&network.name)) {
            if let Some(guest) = network.containers.iter().find(|(id, _)| !own.contains(id)) {
                self.left.push(format!(
                    "network {}: container {}, which is not this project's, is connected to it",
                    network.name, guest.1.name
                ));
            } else {
                self.push(CleanKind::Network, &network.name, &network.id, None);
            }
        }
        Ok(())
    }

    /// Those that `start` has noted, or that our containers use. Others that only carry our name are ambiguous: the name
    /// may be another checkout's too.
    fn volumes(&mut self, project: &Project, usage: &Usage) -> Result<()> {
        for OwnVolume { name, certain, .. } in project.own_volumes(&self.containers)? {
            self.ambiguous |= !certain;
            self.push(CleanKind::Volume, &name, &name, usage.volume(&name));
        }
        let mounts = project.model()?.services.iter().flat_map(|(name, service)| {
            service.volumes.iter().filter(|mount| mount.kind == "bind" && !mount.read_only).map(move |it| (name, it))
        });
        for (service, mount) in mounts {
            let Some(folder) = mount.source.as_deref().map(Utf8Path::new).filter(|source| source.is_dir()) else {
                continue;
            };
            let folder = folder.strip_prefix(project.root()).unwrap_or(folder);
            self.left.push(format!("the folder {folder}: `{service}` writes to it, and it is not a volume"));
        }
        Ok(())
    }

    /// The names that keep the images of releases from being pruned. An image that was pulled stays under its own name.
    fn release_tags(&mut self, project: &Project) -> Result<()> {
        for tag in all_tags(project)? {
            if !self.objects.iter().any(|object| object.id == tag) {
                self.push(CleanKind::Image, &tag, &tag, None);
            }
        }
        Ok(())
    }

    /// Those that Compose built for this project; pulled ones are shared by all projects.
    fn images(&mut self, project: &Project, images: Vec<RawImage>) -> Result<()> {
        if images.is_empty() {
            return Ok(());
        }
        let others = foreign_images(project)?;
        for image in images {
            let name = image.tags.first().cloned().unwrap_or_else(|| image.id.clone());
            if others.contains(&image.id) {
                self.left.push(format!("image {name}: a container of another project uses it"));
            } else {
                for tag in if image.tags.is_empty() { vec![image.id.clone()] } else { image.tags } {
                    self.push(CleanKind::Image, &tag, &tag, Some(image.size));
                }
            }
        }
        Ok(())
    }
}

/// The project's own builder, or what is left alone without one: the engine's build cache does not say which project a
/// layer belongs to.
fn builder(project: &Project) -> Result<String, String> {
    let name = format!("infra-{}", project.name());
    let look = Invocation::new("docker").args(["buildx", "inspect", &name]);
    if project.runner().read(&look).is_ok() {
        return Ok(name);
    }
    Err(format!(
        "the build cache: the engine shares it among all projects and does not record its owners (`docker buildx create --name {name}` \
         creates a builder for this project)"
    ))
}

pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
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
    let containers = project.owned("container", &ids)?.into_iter();
    Ok(containers.filter(|container| container.owner != Owner::Ours).map(|container| container.image).collect())
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
