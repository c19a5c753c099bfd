//! What a project has, from its files alone: neither Compose nor the engine is asked, since a key was pressed.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::identity;
use crate::compose::sources::Sources as ComposeSources;
use crate::config::Config;
use crate::dotenv::EnvFile;
use crate::project::environment_name::{canonical, load_manifest};
use crate::project::environment_names;

/// Looks when asked; what cannot be read has no candidates.
pub(super) struct Sources {
    dir: PathBuf,
    environment: Option<String>,
}

impl Sources {
    pub(super) fn new(dir: PathBuf, environment: Option<String>) -> Self {
        Self { dir, environment }
    }

    fn project(&self) -> Option<(Utf8PathBuf, Config)> {
        let root = crate::project::root(&self.dir).ok()?;
        let manifest = load_manifest(&root).ok()?;
        Some((root, manifest))
    }

    pub(super) fn services(&self) -> Vec<String> {
        let Some((root, manifest)) = self.project() else { return Vec::new() };
        let environment = self.environment.as_deref().map(canonical);
        let environment = environment.as_deref().unwrap_or(environment_names::default_environment(&manifest));
        let settings = identity::settings(&[&root]).unwrap_or_default();
        let of_environment = manifest.environments.get(environment).map(|settings| settings.files.clone());
        let configured = of_environment.filter(|files| !files.is_empty()).unwrap_or(manifest.compose.files);
        let files: Vec<_> = configured.iter().map(|file| root.join(file)).collect();
        let files = if files.is_empty() { identity::files(&root, &settings) } else { files };
        let sources = ComposeSources::read(&root, &identity::directory(&root, &files), &files, &settings);
        sources.services().into_iter().collect()
    }

    pub(super) fn environments(&self) -> Vec<String> {
        let project = self.project();
        project
            .map(|(root, manifest)| environment_names::accepted(&root, &manifest).into_iter().collect())
            .unwrap_or_default()
    }

    pub(super) fn backups(&self) -> Vec<String> {
        let Some((root, manifest)) = self.project() else { return Vec::new() };
        let dir = root.join(manifest.backup.dir.as_deref().unwrap_or(Utf8Path::new("backups")));
        let entries = dir.read_dir_utf8().into_iter().flatten().flatten();
        let manifests = entries.filter(|entry| entry.path().extension() == Some("json"));
        let mut names: Vec<_> = manifests.filter_map(|entry| Some(entry.path().file_stem()?.to_owned())).collect();
        // The folder's own marker is hidden.
        names.retain(|name: &String| !name.starts_with('.'));
        names.push("latest".to_owned());
        names.sort();
        names
    }

    pub(super) fn variables(&self) -> Vec<String> {
        let Some((root, _)) = self.project() else { return Vec::new() };
        let Ok(file) = EnvFile::read(root.join(".env")) else { return Vec::new() };
        file.entries().iter().map(|entry| entry.key.clone()).collect()
    }
}
