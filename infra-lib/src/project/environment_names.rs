//! The project's environments, as far as its files show without asking Compose.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::config::Config;

use super::environment_name::{EnvironmentName, canonical};
use super::template::templated;

/// The default environment, those in the configuration, and the usual ones that a compose or env file is named after.
/// Profiles are not included: only Compose knows them reliably, and not every profile is an environment.
pub(crate) fn environments(root: &Utf8Path, manifest: &Config) -> BTreeSet<String> {
    let mut known = accepted(root, manifest);
    let is_default = |name: &str| name == default_environment(manifest);
    known.retain(|name| {
        manifest.environments.contains_key(name) || is_default(name) || EnvironmentName::from_text(name).is_usual()
    });
    known
}

/// The names that `-e` takes because of a file: `-e worker` uses `compose.worker.yml`, although that may be no
/// environment.
pub(crate) fn accepted(root: &Utf8Path, manifest: &Config) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = manifest.environments.keys().cloned().collect();
    known.insert(default_environment(manifest).to_owned());
    let next_to_main = manifest.compose.files.first().and_then(|file| root.join(file).parent().map(Utf8Path::to_owned));
    for folder in [Some(root.to_owned()), next_to_main].into_iter().flatten() {
        let files = folder.read_dir_utf8().into_iter().flatten().flatten();
        known.extend(files.filter_map(|entry| of_file(entry.file_name())));
    }
    known
}

/// The environment used without `-e`.
pub(crate) fn default_environment(manifest: &Config) -> &str {
    manifest.project.default_environment.as_deref().unwrap_or("development")
}

/// The environment in a file name such as `.env.staging.example` or `docker-compose.prod.yml`.
fn of_file(name: &str) -> Option<String> {
    if let Some(name) = name.strip_prefix(".env.") {
        let name = templated(name).unwrap_or(name);
        let no_environment =
            ["example", "sample", "template", "dist", "local", "bak"].contains(&name) || name.contains('.');
        return (!no_environment).then(|| canonical(name));
    }
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))?;
    let name = stem.strip_prefix("docker-compose.").or_else(|| stem.strip_prefix("compose."))?;
    (!name.starts_with("override") && !name.contains('.')).then(|| canonical(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_environments() {
        let names = [".env.production.example", "docker-compose.prod.yml", "compose.ci.yaml", ".env.stg"];
        let found: Vec<_> = names.iter().filter_map(|name| of_file(name)).collect();
        assert_eq!(found, ["production", "production", "ci", "staging"]);
        for other in [
            ".env",
            ".env.example",
            "compose.yml",
            "compose.override.yml",
            "compose.override-example.yml",
            "notes.prod.md",
        ] {
            assert_eq!(of_file(other), None, "{other}");
        }
    }
}
