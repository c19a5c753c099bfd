//! Which volume is meant.

use std::collections::BTreeSet;

use crate::compose::{Container, Status};
use crate::error::{Error, Result};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::suggest::nearest;

/// A volume on the engine.
#[derive(Debug, Clone)]
pub(crate) struct Volume {
    /// As the compose files call it, or the engine where they do not name it.
    pub(crate) key: String,
    /// As the engine calls it.
    pub(crate) name: String,
    /// Whether it may be somebody else's: it is external, or carries no more than our project's name.
    pub(crate) ambiguous: bool,
}

impl Volume {
    /// The volume of this name, which the compose files or the engine gives it.
    pub(crate) fn find(project: &Project, wanted: &str) -> Result<Self> {
        if !project.has_services() {
            return Err(Error::new(
                Exit::NotFound,
                format!("there is no volume `{wanted}`: this checkout works without containers"),
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
                    .with_hint("`cargo xtask start` makes it"));
            }
            return Ok(found);
        }
        if let Some(own) = own.iter().find(|own| own.name == wanted) {
            return Ok(Self { key: own.name.clone(), name: own.name.clone(), ambiguous: !own.certain });
        }
        let known: Vec<&str> = model.volumes.keys().map(String::as_str).collect();
        let hint = match nearest(wanted, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the compose files have no volumes".to_owned(),
            None => format!("the compose files have: {}", known.join(", ")),
        };
        Err(Error::new(Exit::NotFound, format!("this project has no volume `{}`", wanted.escape_debug()))
            .with_hint(hint))
    }

    /// The volumes that belong to a full backup: `[backup] volumes`.
    pub(crate) fn declared(project: &Project) -> Result<Vec<Self>> {
        let mut seen = BTreeSet::new();
        let found = project.manifest().backup.volumes.iter().map(|name| Self::find(project, name));
        let found = found.collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().filter(|volume| seen.insert(volume.name.clone())).collect())
    }

    /// Whether it is on the engine.
    pub(super) fn exists(&self, project: &Project) -> Result<bool> {
        let name = std::slice::from_ref(&self.name);
        let found: Vec<serde_json::Value> = project.compose().inspect(project.runner(), "volume", name)?;
        Ok(!found.is_empty())
    }

    /// Our containers that have it mounted, also those that do not run.
    pub(crate) fn containers(&self, project: &Project) -> Result<Vec<Container>> {
        let has = |container: &Container| container.volumes.contains(&self.name);
        Ok(project.containers()?.into_iter().filter(has).collect())
    }

    /// The services that have it mounted and run; an error if somebody else has it as well.
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
                format!("the container {name} uses the volume `{}`, and is no service of this project", self.key),
            )
            .with_hint(format!("end it first: `docker stop {name}`")));
        }
        let runs =
            |container: &&Container| !matches!(container.status, Status::Exited | Status::Created | Status::Dead);
        Ok(ours.iter().filter(runs).map(|container| container.service.clone()).collect())
    }
}
