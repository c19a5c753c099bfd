//! Which objects on the engine belong to this project.
//!
//! Containers are labelled with the folder that they were started from. A volume is only labelled with the project's
//! name, which another checkout may share, and existing volumes cannot be labelled. So `start` records the name and
//! creation time of each volume that the containers use.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compose::{Compose, ComposeError, Container};
use crate::exec::Runner;
use crate::project::error::Result;
use crate::state::StateDir;

use super::Project;

/// Volume names with their creation times as reported by the engine.
pub(crate) type VolumeAges = BTreeMap<String, String>;

const FILE: &str = "volumes.json";

/// A volume that may belong to this project.
#[derive(Debug)]
pub(crate) struct OwnVolume {
    pub(crate) name: String,
    made: String,
    /// Whether it is known to be ours. Otherwise it only has our project name, which another checkout may share.
    pub(crate) certain: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    name: String,
    #[serde(default)]
    created_at: String,
}

/// Anonymous volumes have no project name, so they are recorded by compose project: the environments share only the
/// state folder.
const NAMELESS_FILE: &str = "nameless-volumes.json";

/// Whether it is an anonymous volume: the engine names those with 32 random bytes.
fn is_nameless(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

impl Project {
    /// Records the volumes that these containers of ours use.
    pub(crate) fn remember_volumes(&self, containers: &[Container]) -> Result<()> {
        let used: Vec<&String> = containers.iter().flat_map(|container| &container.volumes).collect();
        let ours = self.own_volumes(containers)?.into_iter().filter(|volume| used.contains(&&volume.name));
        let (nameless, named): (VolumeAges, VolumeAges) =
            ours.map(|volume| (volume.name, volume.made)).partition(|(name, _)| is_nameless(name));
        let mut known = self.known_volumes();
        if !named.iter().all(|(name, made)| known.get(name) == Some(made)) {
            known.extend(named);
            self.state().write(FILE, &known)?;
        }
        let mut known = self.known_nameless();
        let ours = known.entry(self.name().to_owned()).or_default();
        if !nameless.iter().all(|(name, made)| ours.get(name) == Some(made)) {
            ours.extend(nameless);
            self.state().write(NAMELESS_FILE, &known)?;
        }
        Ok(())
    }

    fn known_nameless(&self) -> BTreeMap<String, VolumeAges> {
        self.state().read(NAMELESS_FILE).unwrap_or_default()
    }

    /// Watches for new volumes until the guard is dropped. Returns `None` if there can be none.
    pub(crate) fn watch_volumes(&self) -> Result<Option<VolumeWatch>> {
        let runner = self.runner();
        if runner.is_dry_run() || self.model()?.volumes.is_empty() {
            return Ok(None);
        }
        // What was created is recorded after an interruption too.
        let (compose, runner, state) = (self.compose().clone(), runner.aftermath(), self.state().clone());
        let before = labelled_volumes(&compose, &runner)?;
        Ok(Some(VolumeWatch { compose, runner, state, before }))
    }

    /// The recorded volumes. Some of them may no longer exist.
    pub(crate) fn known_volumes(&self) -> VolumeAges {
        self.state().read(FILE).unwrap_or_default()
    }

    /// The volumes that may be ours: those with our project name, and anonymous ones that our containers use or used.
    /// Volumes declared as external belong to others, whatever their labels say.
    pub(crate) fn own_volumes(&self, containers: &[Container]) -> Result<Vec<OwnVolume>> {
        let used: Vec<&String> = containers.iter().flat_map(|container| &container.volumes).collect();
        let known = self.known_volumes();
        let is_ours =
            |name: &String, made: &String, known: &VolumeAges| used.contains(&name) || known.get(name) == Some(made);
        let mut volumes: Vec<OwnVolume> = self
            .volume_label()?
            .into_iter()
            .map(|(name, made)| OwnVolume { certain: is_ours(&name, &made, &known), name, made })
            .collect();

        let known = self.known_nameless().remove(self.name()).unwrap_or_default();
        let mut nameless: Vec<String> =
            used.iter().copied().chain(known.keys()).filter(|name| is_nameless(name)).cloned().collect();
        nameless.sort();
        nameless.dedup();
        let raw: Vec<Raw> = self.compose().inspect(self.runner(), "volume", &nameless)?;
        let ours = raw.into_iter().filter(|volume| is_ours(&volume.name, &volume.created_at, &known));
        volumes.extend(ours.map(|volume| OwnVolume { name: volume.name, made: volume.created_at, certain: true }));

        let model = self.model()?;
        volumes.retain(|own| !model.volumes.values().any(|volume| volume.external && volume.name == own.name));
        Ok(volumes)
    }

    /// The volumes on the engine that have this project's name.
    pub(crate) fn volume_label(&self) -> Result<VolumeAges> {
        Ok(labelled_volumes(self.compose(), self.runner())?)
    }
}

fn labelled_volumes(compose: &Compose, runner: &Runner) -> std::result::Result<VolumeAges, ComposeError> {
    let names = compose.labelled(runner, "volume")?;
    let raw: Vec<Raw> = compose.inspect(runner, "volume", &names)?;
    Ok(raw.into_iter().map(|volume| (volume.name, volume.created_at)).collect())
}

/// Records the volumes of our project name that did not exist before: one of our calls created them, even if no
/// container uses them and whatever happened afterwards.
pub(crate) struct VolumeWatch {
    compose: Compose,
    runner: Runner,
    state: StateDir,
    before: VolumeAges,
}

impl Drop for VolumeWatch {
    fn drop(&mut self) {
        let Ok(mut new) = labelled_volumes(&self.compose, &self.runner) else { return };
        new.retain(|name, made| self.before.get(name) != Some(made));
        if !new.is_empty() {
            let mut known: VolumeAges = self.state.read(FILE).unwrap_or_default();
            known.extend(new);
            // Without the record, `clean` asks for the project's name.
            let _ = self.state.write(FILE, &known);
        }
    }
}
