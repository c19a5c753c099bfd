//! Environments: their files, profiles and variables.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::compose::identity;
use crate::compose::sources::Sources;
use crate::config::Config;
use crate::dotenv::Resolved;
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::suggest;

use super::environment_name::EnvironmentName;
use super::environment_names;
use super::template::template_of;

/// An environment of a project with its files, profiles and protection.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// The canonical name: `production`, even if `prod` was requested.
    pub name: String,
    /// Whether it is the environment used without `-e`.
    pub is_default: bool,
    /// The compose files, in order of precedence.
    pub files: Vec<Utf8PathBuf>,
    /// The profiles that are active.
    pub profiles: Vec<String>,
    /// The existing env files. Later ones override earlier ones.
    pub env_files: Vec<Utf8PathBuf>,
    /// All env files, whether or not they exist.
    #[serde(skip)]
    pub(crate) expected_env_files: Vec<Utf8PathBuf>,
    /// The env file that `setup` creates and `env` edits. It may not exist yet.
    pub own_env_file: Utf8PathBuf,
    /// Env files that services load through `env_file:` and that do not belong to the environment. They may not exist
    /// yet.
    pub service_env_files: Vec<Utf8PathBuf>,
    /// Whether destructive operations require the typed project name.
    pub protected: bool,
}

/// The inputs that an environment is resolved from.
pub(super) struct Inputs<'a> {
    pub(super) root: &'a Utf8Path,
    pub(super) manifest: &'a Config,
    pub(super) requested: Option<&'a str>,
    /// The settings in the project's own `.env`.
    pub(super) settings: &'a Resolved,
    /// Asks Compose whether these files are a valid project by themselves. Only used if a file is named after the
    /// environment.
    pub(super) stands_alone: &'a dyn Fn(&[Utf8PathBuf]) -> Result<bool>,
}

impl Environment {
    /// Resolves an environment from `infra.toml`, else from the files in the folder.
    pub(super) fn resolve(inputs: &Inputs<'_>) -> Result<Self> {
        let Inputs { root, manifest, requested, settings: own, .. } = *inputs;
        let default = environment_names::default_environment(manifest);
        let name = EnvironmentName::parse(requested.unwrap_or(default))
            .map_err(|error| error.with_hint(known_hint(&environment_names::accepted(root, manifest))))?;
        let is_default = name.as_str() == default;
        let settings = manifest.environments.get(name.as_str()).cloned().unwrap_or_default();
        let is_configured = manifest.environments.contains_key(name.as_str());

        let absolute = |paths: &[Utf8PathBuf]| paths.iter().map(|path| root.join(path)).collect::<Vec<_>>();
        let base_files = match &manifest.compose.files[..] {
            [] => identity::files(root, own),
            configured => absolute(configured),
        };
        let base = Sources::read(root, &identity::directory(root, &base_files), &base_files, own);
        let base_profiles = base.profiles();
        let folder = identity::directory(root, &base_files);
        // The default environment is what `docker compose` uses: a file is not added because of its name.
        let candidates = if is_default { Vec::new() } else { overlay_candidates(&folder, &name) };
        let named_file = |suffix: &str| root.join(format!(".env.{suffix}"));
        let mut spellings = name.spellings().into_iter().filter(|_| !is_default);
        let named_env_file = spellings.by_ref().map(named_file).find(|path| has_file_or_template(path));
        let is_known = is_default
            || is_configured
            || !candidates.is_empty()
            || named_env_file.is_some()
            || base_profiles.iter().any(|profile| name.is(profile));
        if !is_known {
            if let Some(error) = unreadable(root, &base) {
                return Err(error);
            }
            return Err(unknown(root, &name, manifest, &base_profiles));
        }

        let files = match &settings.files[..] {
            [] => with_overlay(inputs, &name, base_files, &candidates)?,
            configured => absolute(configured),
        };
        if let Some(missing) = files.iter().find(|path| !path.is_file()) {
            return Err(Error::new(
                Exit::Config,
                format!("the compose file {missing} of environment `{name}` does not exist", name = name.as_str()),
            )
            .with_hint("correct `files` in infra.toml, or COMPOSE_FILE in .env"));
        }
        let directory = identity::directory(root, &files);
        let profiles = match settings.profiles {
            configured if !configured.is_empty() => configured,
            _ => {
                let mut profiles = identity::profiles(&identity::settings(&[&directory, root])?);
                let all = Sources::read(root, &directory, &files, own).profiles();
                profiles.extend(all.into_iter().filter(|profile| name.is(profile)));
                profiles
            }
        };

        let configured = absolute(&settings.env_files);
        let (expected_env_files, own_env_file) = if let Some(last) = configured.last().cloned() {
            (configured, last)
        } else {
            let common = root.join(".env");
            let in_directory = (directory != root).then(|| directory.join(".env"));
            let named = named_env_file.clone().or((!is_default).then(|| named_file(name.as_str())));
            let all = in_directory.into_iter().chain([common.clone()]).chain(named).collect();
            (all, named_env_file.unwrap_or(common))
        };
        let env_files = expected_env_files.iter().filter(|path| path.is_file()).cloned().collect();
        let protected = settings.protected.unwrap_or(name.is_production());
        Ok(Self {
            name: name.into_string(),
            is_default,
            files,
            profiles,
            env_files,
            expected_env_files,
            own_env_file,
            service_env_files: Vec::new(),
            protected,
        })
    }

    /// All existing env files: the environment's, then those of services.
    pub(crate) fn all_env_files(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.env_files.iter().chain(self.service_env_files.iter().filter(|path| path.is_file()))
    }
}

fn has_file_or_template(path: &Utf8Path) -> bool {
    path.is_file() || template_of(path).is_file()
}

/// Files next to the main one that are named after an environment, such as `docker-compose.prod.yml`.
pub(crate) fn overlay_candidates(dir: &Utf8Path, environment: &EnvironmentName) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for stem in ["compose", "docker-compose"] {
        for name in environment.spellings() {
            let paths = ["yml", "yaml"].map(|extension| dir.join(format!("{stem}.{name}.{extension}")));
            found.extend(paths.into_iter().filter(|path| path.is_file()));
        }
    }
    found
}

/// The compose files of an environment for which `infra.toml` lists none.
fn with_overlay(
    inputs: &Inputs<'_>,
    name: &EnvironmentName,
    base: Vec<Utf8PathBuf>,
    candidates: &[Utf8PathBuf],
) -> Result<Vec<Utf8PathBuf>> {
    let root = inputs.root;
    let is_project = |file: &Utf8PathBuf| -> Result<bool> {
        let files = std::slice::from_ref(file);
        let sources = Sources::read(root, &identity::directory(root, files), files, inputs.settings);
        match unreadable(root, &sources) {
            Some(error) => Err(error),
            None => Ok(sources.is_complete() && (inputs.stands_alone)(files)?),
        }
    };
    match candidates {
        [] => Ok(base),
        [file] if base.contains(file) => Ok(base),
        // A file that is not a complete project must be an overlay; a complete one could be either.
        [file] if !is_project(file)? => Ok(base.into_iter().chain([file.clone()]).collect()),
        [file] if base.is_empty() => Ok(vec![file.clone()]),
        several => {
            let relative = |path: &Utf8PathBuf| path.strip_prefix(root).unwrap_or(path).to_string();
            let list = several.iter().map(relative).collect::<Vec<_>>().join("`, `");
            let base = base.first().map(relative).unwrap_or_default();
            let (own, name) = (relative(&several[0]), name.as_str());
            Err(Error::new(Exit::Config, format!("`{list}` could be an overlay or a separate project; environment `{name}` needs a decision"))
                .with_hint(format!("in infra.toml write `[environments.{name}]` with `files = [\"{base}\", \"{own}\"]` or `files = [\"{own}\"]`")))
        }
    }
}

/// The error for a compose file that cannot be read.
pub(super) fn unreadable(root: &Utf8Path, sources: &Sources) -> Option<Error> {
    let (path, error) = sources.error()?;
    let path = path.strip_prefix(root).unwrap_or(path);
    Some(Error::new(Exit::Config, format!("{path}: {error}")).with_hint("correct the file at this line"))
}

fn known_hint(known: &BTreeSet<String>) -> String {
    format!("use one of these: {}", known.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn unknown(root: &Utf8Path, name: &EnvironmentName, manifest: &Config, profiles: &BTreeSet<String>) -> Error {
    let mut known = environment_names::accepted(root, manifest);
    known.extend(profiles.iter().map(|profile| EnvironmentName::from_text(profile).into_string()));
    let name = name.as_str();
    let hint = suggest::did_you_mean(name, known.iter().map(String::as_str)).unwrap_or_else(|| {
        "define it in infra.toml, or by a compose file, profile or env file of that name".to_owned()
    });
    let known = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    Error::new(Exit::Config, format!("unknown environment `{name}` (known: {known})")).with_hint(hint)
}
