//! What a project has, from its files alone: neither Compose nor the engine is asked, since a key was pressed.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::default_files;
use crate::dotenv::EnvFile;
use crate::manifest::Manifest;
use crate::project::known;

/// Looks when asked; what cannot be read has no candidates.
pub(super) struct Sources {
    dir: PathBuf,
    environment: Option<String>,
}

impl Sources {
    pub(super) fn new(dir: PathBuf, environment: Option<String>) -> Self {
        Self { dir, environment }
    }

    fn project(&self) -> Option<(Utf8PathBuf, Manifest)> {
        let root = crate::project::root(&self.dir).ok()?;
        let manifest = Manifest::load(&root).ok()?;
        Some((root, manifest))
    }

    pub(super) fn services(&self) -> Vec<String> {
        let Some((root, manifest)) = self.project() else { return Vec::new() };
        let environment = self.environment.as_deref().unwrap_or(known::default_environment(&manifest));
        let of_environment = manifest.environments.get(environment).map(|settings| settings.files.clone());
        let stated = of_environment.filter(|files| !files.is_empty()).unwrap_or(manifest.compose.files);
        let files: Vec<_> = stated.iter().map(|file| root.join(file)).collect();
        let files = if files.is_empty() { default_files(&root) } else { files };
        let mut services: Vec<String> = files.iter().flat_map(|file| services_of(file)).collect();
        services.sort();
        services.dedup();
        services
    }

    pub(super) fn environments(&self) -> Vec<String> {
        let project = self.project();
        project.map(|(root, manifest)| known::environments(&root, &manifest).into_iter().collect()).unwrap_or_default()
    }

    pub(super) fn backups(&self) -> Vec<String> {
        let Some((root, manifest)) = self.project() else { return Vec::new() };
        let dir = root.join(manifest.backup.dir.as_deref().unwrap_or(Utf8Path::new("backups")));
        let entries = dir.read_dir_utf8().into_iter().flatten().flatten();
        let manifests = entries.filter(|entry| entry.path().extension() == Some("json"));
        let mut names: Vec<_> = manifests.filter_map(|entry| Some(entry.path().file_stem()?.to_owned())).collect();
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

/// The keys below `services:` in a file that is written as people write them. An exotic one has no candidates.
fn services_of(file: &Utf8Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut found = Vec::new();
    let mut depth = None;
    let mut inside = false;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if indent == 0 {
            inside = content.starts_with("services:");
            continue;
        }
        if !inside || indent != *depth.get_or_insert(indent) {
            continue;
        }
        let Some((key, _)) = content.split_once(':') else { continue };
        let key = key.trim().trim_matches(['"', '\'']);
        if key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && !key.starts_with("x-") {
            found.push(key.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_from_a_compose_file_as_people_write_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(dir.path()).unwrap().join("compose.yml");
        let text = "name: shop\nx-common: &c\n  restart: always\nservices:\n  # the database\n  db:\n    image: postgres\n\
                    \n  \"web\": {image: nginx}\n  my-job.1:\n    <<: *c\nvolumes:\n  data:\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(services_of(&file), ["db", "web", "my-job.1"]);
        assert!(services_of(&file.join("missing")).is_empty());
    }
}
