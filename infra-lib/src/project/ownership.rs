//! What is ours on the engine.
//!
//! Containers carry the folder that they were started from. A volume carries only the project's name, which another
//! checkout may share, and an existing volume cannot be labelled; so `start` notes the name and creation time of each
//! volume that our containers use.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Result;

use super::Project;

/// Volume names with the time at which the engine says they were made.
pub(crate) type VolumeAges = BTreeMap<String, String>;

const FILE: &str = "volumes.json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    name: String,
    #[serde(default)]
    created_at: String,
}

impl Project {
    /// Notes the volumes that our containers use.
    pub(crate) fn remember_volumes(&self) -> Result<()> {
        let prefix = self.volume_label()?;
        let used: Vec<String> = self.containers()?.into_iter().flat_map(|container| container.volumes).collect();
        let mut known = self.known_volumes();
        let before = known.clone();
        known.extend(prefix.into_iter().filter(|(name, _)| used.contains(name)));
        if known == before { Ok(()) } else { self.state().write(FILE, &known) }
    }

    /// The volumes that were noted, some of which may be gone.
    pub(crate) fn known_volumes(&self) -> VolumeAges {
        self.state().read(FILE).unwrap_or_default()
    }

    /// The volumes on the engine that carry this project's name.
    pub(crate) fn volume_label(&self) -> Result<VolumeAges> {
        let names = self.compose().labelled(self.runner(), "volume")?;
        let raw: Vec<Raw> = self.compose().inspect(self.runner(), "volume", &names)?;
        Ok(raw.into_iter().map(|volume| (volume.name, volume.created_at)).collect())
    }
}
