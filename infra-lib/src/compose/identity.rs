//! The compose files, folder, env files, profiles and name of a project: what plain `docker compose` would use.
//!
//! The `COMPOSE_*` variables in the project's own `.env` apply, those of the caller do not. Files and folder follow
//! Compose's documented rules. Compose itself interpolates and normalises the name. Every later call states the
//! results, so that nothing can redirect it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dotenv::references::references;
use crate::dotenv::{DotenvError, EnvFile, Resolved, interpolate, resolve};
use crate::exec::{ExecError, Invocation, Runner, inherited};
use crate::state::StateDir;

use super::{Compose, ComposeError};

/// The file names that Compose looks for, in order, with their override files.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Variables of the caller that would redirect `docker compose`. They are ignored.
pub(crate) const REDIRECTING: [&str; 5] =
    ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES", "COMPOSE_PATH_SEPARATOR"];

/// The variables in the `.env` files of these folders. Later ones override earlier ones.
pub(crate) fn settings(folders: &[&Utf8Path]) -> Result<Resolved, DotenvError> {
    let paths = folders.iter().map(|folder| folder.join(".env")).filter(|path| path.is_file());
    resolve(&paths.map(EnvFile::read).collect::<Result<Vec<_>, _>>()?, inherited)
}

/// A `COMPOSE_*` variable. An empty one counts as not set.
fn setting<'a>(settings: &'a Resolved, key: &str) -> Option<&'a str> {
    settings.value(key).filter(|value| !value.is_empty())
}

/// The files that Compose uses in this folder: those in `COMPOSE_FILE`, else those with the default names.
pub(crate) fn files(folder: &Utf8Path, settings: &Resolved) -> Vec<Utf8PathBuf> {
    match setting(settings, "COMPOSE_FILE") {
        Some(list) => {
            let separator = setting(settings, "COMPOSE_PATH_SEPARATOR").unwrap_or(":");
            list.split(separator).filter(|path| !path.is_empty()).map(|path| folder.join(path)).collect()
        }
        None => usual_files(folder),
    }
}

fn usual_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let first = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    match first(&NAMES) {
        Some(main) => std::iter::once(main).chain(first(&OVERRIDES)).collect(),
        None => Vec::new(),
    }
}

/// Whether `docker compose` finds a project in this folder.
pub(crate) fn has_project(folder: &Utf8Path) -> bool {
    if !usual_files(folder).is_empty() {
        return true;
    }
    let files = settings(&[folder]).map(|settings| files(folder, &settings)).unwrap_or_default();
    files.first().is_some_and(|file| file.is_file())
}

/// The folder of a compose project, to which paths in its files are relative: that of the first file.
pub(crate) fn directory(root: &Utf8Path, files: &[Utf8PathBuf]) -> Utf8PathBuf {
    let folder = files.first().and_then(|file| file.parent());
    super::sources::lexical(folder.unwrap_or(root))
}

/// The profiles in `COMPOSE_PROFILES`.
pub(crate) fn profiles(settings: &Resolved) -> Vec<String> {
    let list = setting(settings, "COMPOSE_PROFILES").unwrap_or_default();
    list.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned).collect()
}

/// Converts a text to a valid project name like Compose does: lower case, `[a-z0-9][a-z0-9_-]*`.
pub(crate) fn normalise(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String =
        lower.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-')).collect();
    let kept = kept.trim_start_matches(['_', '-']);
    if kept.is_empty() { "project".to_owned() } else { kept.to_owned() }
}

/// A cached answer of Compose, with a digest of its inputs.
#[derive(Serialize, Deserialize)]
struct Answer {
    inputs: String,
    name: String,
}

/// The file with the cached answer.
const ANSWER: &str = "compose-name.json";

impl Compose {
    /// The project's name, if the files and the folder determine it: the value of `name:`, interpolated and
    /// normalised by Compose.
    pub(crate) fn declared_name(
        &self,
        runner: &Runner,
        declared: Option<&str>,
        variables: &Resolved,
        state: &StateDir,
    ) -> Result<String, ComposeError> {
        let Some(text) = declared else { return Ok(normalise(self.directory.file_name().unwrap_or_default())) };
        if normalise(text) == text {
            return Ok(text.to_owned());
        }
        let lookup = |name: &str| variables.value(name).map(str::to_owned).or_else(|| inherited(name));
        let used: BTreeMap<&str, Option<String>> =
            references(text).iter().map(|reference| (reference.name, lookup(reference.name))).collect();
        let inputs = format!("{:x?}", Sha256::digest(format!("{:?}\0{text}\0{used:?}", self.program)));
        if let Some(answer) = state.read::<Answer>(ANSWER).filter(|answer| answer.inputs == inputs) {
            return Ok(answer.name);
        }
        match self.query_name(runner, text) {
            Ok(name) => {
                // Only cached if the folder exists: opening a project creates no files.
                if state.path().is_dir() && !runner.is_dry_run() {
                    let _ = state.write(ANSWER, &Answer { inputs, name: name.clone() });
                }
                Ok(name)
            }
            Err(ComposeError::Missing | ComposeError::ClosedFolder { .. } | ComposeError::BrokenPlugin { .. }) => {
                let filled = interpolate(text, lookup)
                    .map_err(|error| ComposeError::Invalid { message: format!("name: {error}") })?;
                Ok(normalise(&filled.value))
            }
            Err(error) => Err(error),
        }
    }

    /// Lets Compose interpolate only the name, since the rest of the files may need variables that are not set yet.
    fn query_name(&self, runner: &Runner, text: &str) -> Result<String, ComposeError> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let mut call = Invocation::new(self.program[0].clone()).args(self.program[1..].iter().cloned());
        call = call.args(["--project-directory", self.directory.as_str(), "-f", "-"]);
        for file in &self.env_files {
            call = call.args(["--env-file", file.as_str()]);
        }
        let document = serde_json::json!({ "name": text, "services": {} }).to_string();
        let call = call.args(["config", "--format", "json"]).dir(self.directory.clone()).stdin(document);
        let output = runner.read(&call).map_err(|error| self.invalid(runner, error))?;
        let named: Named = serde_json::from_slice(&output.stdout).map_err(|reason| self.bad_config(&reason))?;
        Ok(named.name)
    }

    /// Whether these files are a valid project by themselves, whatever their variables.
    pub(crate) fn stands_alone(&self, runner: &Runner) -> Result<bool, ComposeError> {
        match self.read(runner, &self.call_all(["config", "--no-interpolate", "--format", "json"])) {
            Ok(_) | Err(ComposeError::Missing) => Ok(true),
            Err(ComposeError::Failed(ExecError::Exited { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_compose_accepts() {
        assert_eq!(normalise("My Shop.v2"), "myshopv2");
        assert_eq!(normalise("_x"), "x");
        assert_eq!(normalise("日本"), "project");
    }

    #[test]
    fn the_files_are_those_of_the_variable_else_those_with_the_usual_names() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let found = |env: &str| {
            let settings = resolve(&[EnvFile::parse(".env", env.as_bytes()).unwrap()], |_| None).unwrap();
            files(dir, &settings).iter().map(|path| path.strip_prefix(dir).unwrap().to_string()).collect::<Vec<_>>()
        };
        std::fs::write(dir.join("compose.yml"), "").unwrap();
        std::fs::write(dir.join("compose.override.yml"), "").unwrap();
        assert_eq!(found("COMPOSE_FILE=\n"), ["compose.yml", "compose.override.yml"]);
        assert_eq!(found("COMPOSE_FILE=a/b.yml:c.yml\n"), ["a/b.yml", "c.yml"]);
        assert_eq!(found("COMPOSE_FILE=a/b.yml,c.yml\nCOMPOSE_PATH_SEPARATOR=,\n"), ["a/b.yml", "c.yml"]);
        let files = [dir.join("a/b.yml"), dir.join("c.yml")];
        assert_eq!((directory(dir, &files), directory(dir, &[])), (dir.join("a"), dir.to_owned()));
    }
}
