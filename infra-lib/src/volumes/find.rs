//! Finds a volume by its name.

use std::collections::BTreeSet;

use crate::compose::Container;
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::suggest;

/// A volume on the engine.
#[derive(Debug, Clone)]
pub(crate) struct Volume {
    /// The name in the compose files, or the engine's name if they do not define it.
    pub(crate) key: String,
    /// The volume's name on the engine.
    pub(crate) name: String,
    /// Whether it may belong to another project: it is external, or only its name matches this project.
    pub(crate) ambiguous: bool,
}

impl Volume {
    /// Finds a volume by its name in the compose files or on the engine.
    pub(crate) fn find(project: &Project, wanted: &str) -> Result<Self> {
        if !project.has_services() {
            return Err(Error::new(
                Exit::NotFound,
                format!("unknown volume `{wanted}`: this checkout works without containers"),
            ));
        }
        let model = project.model()?;
        let own = project.own_volumes(&project.containers()?)?;
        let by_key = model.volumes.get_key_value(wanted);
        let declared = by_key.or_else(|| model.volumes.iter().find(|(_, volume)| volume.name == wanted));
        if let Some((key, volume)) = declared {
            let known = own.iter().find(|own| own.name == volume.name);
            let ambiguous = known.is_none_or(|own| !own.certain);
            let found = Self { key: key.clone(), name: volume.name.clone(), ambiguous };
            if known.is_none() && !found.exists(project)? {
                return Err(Error::new(Exit::NotFound, format!("the volume `{key}` is not on the engine yet"))
                    .with_hint("`cargo xtask start` creates it"));
            }
            return Ok(found);
        }
        if let Some(own) = own.iter().find(|own| own.name == wanted) {
            return Ok(Self { key: own.name.clone(), name: own.name.clone(), ambiguous: !own.certain });
        }
        let hint = suggest::hint("volumes in the compose files", wanted, model.volumes.keys().map(String::as_str));
        Err(Error::new(Exit::NotFound, format!("unknown volume `{}`", wanted.escape_debug())).with_hint(hint))
    }

    /// The volumes in a full backup, from `[backup] volumes`.
    pub(crate) fn declared(project: &Project) -> Result<Vec<Self>> {
        let mut seen = BTreeSet::new();
        let found = project.config().backup.volumes.iter().map(|name| Self::find(project, name));
        let found = found.collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().filter(|volume| seen.insert(volume.name.clone())).collect())
    }

    /// Whether it exists on the engine.
    pub(super) fn exists(&self, project: &Project) -> Result<bool> {
        let name = std::slice::from_ref(&self.name);
        let found: Vec<serde_json::Value> = project.compose().inspect(project.runner(), "volume", name)?;
        Ok(!found.is_empty())
    }

    /// The project's containers that mount it, including stopped ones.
    pub(crate) fn containers(&self, project: &Project) -> Result<Vec<Container>> {
        let has = |container: &Container| container.volumes.contains(&self.name);
        Ok(project.containers()?.into_iter().filter(has).collect())
    }

    /// The running services that mount it. An error if another project's container mounts it as well.
    pub(crate) fn running(&self, project: &Project) -> Result<BTreeSet<String>> {
        let ours = self.containers(project)?;
        let filter = format!("volume={}", self.name);
        let list = Invocation::new("docker").args(["ps", "-q", "--no-trunc", "--filter", &filter]);
        let running = project.compose().read(project.runner(), &list)?.text();
        let stranger = running.lines().find(|id| ours.iter().all(|own| own.id != *id || own.one_off));
        if let Some(id) = stranger {
            let name = Invocation::new("docker").args(["inspect", "--format", "{{.Name}}", id]);
            let name = project.compose().read(project.runner(), &name).map(|output| output.text()).unwrap_or_default();
            let name = name.trim_start_matches('/');
            return Err(Error::new(
                Exit::Refused,
                format!("the container {name} uses the volume `{}`, but is not a service of this project", self.key),
            )
            .with_hint(format!("stop it first: `docker stop {name}`")));
        }
        let runs = |container: &&Container| !container.status.is_down();
        Ok(ours.iter().filter(runs).map(|container| container.service.clone()).collect())
    }
}
