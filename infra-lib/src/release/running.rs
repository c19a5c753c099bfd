//! The release that an environment runs from.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::state::StateDir;

use super::{Deploys, Label, Release, Releases};

/// A release as one deploy of it runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) release: Release,
    /// The folder with the release's files.
    pub(crate) files: Utf8PathBuf,
    /// The compose file that pins the images, once it is written.
    pub(crate) overlay: Option<Utf8PathBuf>,
}

impl Running {
    /// A release that is not deployed yet.
    pub(crate) fn undeployed(state: &StateDir, release: Release) -> Self {
        let files = Releases::new(state, &release.environment).files(&release.id);
        Self { release, files, overlay: None }
    }

    /// The release of this deploy. `None` if its files are missing.
    pub(crate) fn deployed(state: &StateDir, environment: &str, number: u64) -> Option<Self> {
        let deploys = Deploys::new(state, environment);
        let id = deploys.get(number)?.beginning()?.release.clone();
        let release = Releases::new(state, environment).get(&id)?;
        let overlay = Some(deploys.overlay(number)).filter(|file| file.is_file())?;
        Some(Self { overlay: Some(overlay), ..Self::undeployed(state, release) })
    }

    /// The release that is live in this environment.
    pub(crate) fn live(state: &StateDir, environment: &str) -> Option<Self> {
        let live = Deploys::new(state, environment).live()?;
        Self::deployed(state, environment, live.number)
    }

    /// The compose files, in order of precedence.
    pub(crate) fn compose_files(&self) -> Vec<Utf8PathBuf> {
        self.release.compose.iter().map(|path| self.files.join(path)).chain(self.overlay.clone()).collect()
    }

    /// The labels of each service's containers.
    pub(crate) fn labels(&self) -> BTreeMap<String, Label> {
        let text = self.overlay.as_ref().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        Label::in_file(&serde_json::from_slice(&text).unwrap_or_default())
    }
}
