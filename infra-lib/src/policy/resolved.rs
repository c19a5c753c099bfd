//! The compose model, also of a checkout that has no env files yet: a build server has none, and is where this is asked.

use camino::Utf8PathBuf;

use crate::compose::{Compose, Model};
use crate::dotenv::EnvFile;
use crate::error::Result;
use crate::project::{Project, template_of};

use super::references::references;
use super::sources::Sources;

/// What stands for a required variable that only a real env file would have: it can be a port, a user's number and a tag.
const STAND_IN: &str = "20001";

/// The model, and whether templates stood in for env files.
pub(super) fn model(project: &Project, sources: &Sources) -> Result<(Model, bool)> {
    if project.require_env_file().is_ok() {
        return Ok((project.model()?.clone(), false));
    }
    let stated = env_files(project);
    let there: Vec<Utf8PathBuf> = stated
        .iter()
        .filter_map(|path| {
            let paths = [path.clone(), template_of(path)];
            paths.into_iter().find(|path| path.is_file())
        })
        .collect();
    if there.is_empty() {
        // The message that says which file is missing.
        project.require_env_file()?;
    }
    let files = there.iter().map(EnvFile::read).collect::<std::result::Result<Vec<_>, _>>()?;
    let is_set = |name: &str| {
        let entry = files.iter().rev().find_map(|file| file.entry(name));
        entry.is_some_and(|entry| !entry.template.expose().is_empty()) || std::env::var_os(name).is_some()
    };
    let mut given: Vec<(String, String)> = Vec::new();
    for (text, _) in sources.texts() {
        for reference in references(text) {
            if reference.is_required() && !is_set(reference.name) {
                given.push((reference.name.to_owned(), STAND_IN.to_owned()));
            }
        }
    }
    let compose = Compose { env_files: there, ..project.compose().clone() };
    Ok((compose.model_with(project.runner(), &given)?, true))
}

/// The env files of the environment, whether or not they are there, later ones winning.
pub(super) fn env_files(project: &Project) -> Vec<Utf8PathBuf> {
    let environment = project.environment();
    let settings = project.manifest().environments.get(&environment.name);
    let stated = settings.map(|settings| settings.env_files.as_slice()).unwrap_or_default();
    let mut paths: Vec<Utf8PathBuf> = stated.iter().map(|path| project.root().join(path)).collect();
    if paths.is_empty() {
        paths = vec![project.root().join(".env"), project.root().join(format!(".env.{}", environment.name))];
    }
    for path in &environment.env_files {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    paths
}
