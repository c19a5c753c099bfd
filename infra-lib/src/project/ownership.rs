//! What is ours on the engine.
//!
//! Containers carry the folder that they were started from. A volume carries only the project's name, which another
//! checkout may share, and an existing volume cannot be labelled; so `start` notes the name and creation time of each
//! volume that our containers use.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compose::Container;
use crate::error::Result;

use super::Project;

/// Volume names with the time at which the engine says they were made.
pub(crate) type VolumeAges = BTreeMap<String, String>;

const FILE: &str = "volumes.json";

/// A volume that may be this project's.
#[derive(Debug)]
pub(crate) struct OwnVolume {
    pub(crate) name: String,
    made: String,
    /// Whether it is known to be; otherwise it only carries our name, which another checkout may share.
    pub(crate) certain: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    name: String,
    #[serde(default)]
    created_at: String,
}

/// Nameless volumes, which carry no project's name, by compose project: environments share the state folder, but nothing else.
const NAMELESS_FILE: &str = "nameless-volumes.json";

/// The engine names a volume that nobody has named with 32 random bytes.
fn is_nameless(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

impl Project {
    /// Notes the volumes that our containers use, which are these.
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

    /// Notes the volumes of our name that were not there `before`: a program of ours has made them in between, whether or
    /// not it has left a container that uses them.
    pub(crate) fn remember_new_volumes(&self, before: &VolumeAges) -> Result<()> {
        let mut new = self.volume_label()?;
        new.retain(|name, made| before.get(name) != Some(made));
        if new.is_empty() {
            return Ok(());
        }
        let mut known = self.known_volumes();
        known.extend(new);
        self.state().write(FILE, &known)
    }

    /// The volumes that were noted, some of which may be gone.
    pub(crate) fn known_volumes(&self) -> VolumeAges {
        self.state().read(FILE).unwrap_or_default()
    }

    /// The volumes that may be ours: those that carry this project's name, and nameless ones that our containers use or
    /// have used. What the compose files call external is somebody else's, whatever it carries.
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

    /// The volumes on the engine that carry this project's name.
    pub(crate) fn volume_label(&self) -> Result<VolumeAges> {
        let names = self.compose().labelled(self.runner(), "volume")?;
        let raw: Vec<Raw> = self.compose().inspect(self.runner(), "volume", &names)?;
        Ok(raw.into_iter().map(|volume| (volume.name, volume.created_at)).collect())
    }
}
