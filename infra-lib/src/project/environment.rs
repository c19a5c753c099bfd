//! Environments: which files, profiles and variables one consists of.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::compose::{default_files, overlay_candidates, service_env_files};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Manifest;
use crate::suggest::nearest;

use super::known;

/// An environment of a project, resolved.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Whether it is the one without `-e`.
    pub is_default: bool,
    /// The compose files.
    pub files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
    /// The env files that exist, later ones winning.
    pub env_files: Vec<Utf8PathBuf>,
    /// The env file that `setup` makes and `env` changes; it may not exist yet.
    pub own_env_file: Utf8PathBuf,
    /// The env files that services read by `env_file:` and that are none of these; they may not exist yet.
    pub service_env_files: Vec<Utf8PathBuf>,
    /// Whether destruction needs the typed name.
    pub protected: bool,
}

impl Environment {
    /// Resolves an environment by the manifest, or by what lies in the folder.
    ///
    /// `profiles_of` asks Compose for the profiles of some files; it is called only where nothing else says what the
    /// environment is.
    pub(super) fn resolve(
        root: &Utf8Path,
        manifest: &Manifest,
        requested: Option<&str>,
        base_env: &dyn Fn(&str) -> Option<String>,
        probe: &dyn Probe,
    ) -> Result<Self> {
        let default = known::default_environment(manifest);
        let name = requested.unwrap_or(default).to_owned();
        let is_default = name == default;
        let settings = manifest.environments.get(&name);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(Error::new(
                Exit::Usage,
                format!("`{name}` cannot be an environment's name: letters, digits, `_` and `-` only"),
            ));
        }

        let absolute = |paths: &[Utf8PathBuf]| paths.iter().map(|path| root.join(path)).collect::<Vec<_>>();
        let base_files = match (&manifest.compose.files[..], base_env("COMPOSE_FILE")) {
            ([], Some(list)) => list.split(':').map(|path| root.join(path)).collect(),
            ([], None) => default_files(root),
            (stated, _) => absolute(stated),
        };
        let base_profiles: Vec<String> = base_env("COMPOSE_PROFILES")
            .iter()
            .flat_map(|list| list.split(','))
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect();

        let stated = settings.map(|settings| absolute(&settings.env_files)).unwrap_or_default();
        let (env_files, own_env_file) = if let Some(own) = stated.last().cloned() {
            (stated, own)
        } else {
            let (common, named) = (root.join(".env"), root.join(format!(".env.{name}")));
            let has_named = named.is_file() || template_of(&named).is_file();
            (vec![common.clone(), named.clone()], if has_named { named } else { common })
        };
        let common = env_files.clone();
        let env_files = env_files.into_iter().filter(|path| path.is_file()).collect();

        let (files, profiles) = match settings {
            Some(settings) => (
                if settings.files.is_empty() { base_files } else { absolute(&settings.files) },
                if settings.profiles.is_empty() { base_profiles } else { settings.profiles.clone() },
            ),
            None => infer(root, &name, is_default, base_files, base_profiles, manifest, probe)?,
        };
        if let Some(missing) = files.iter().find(|path| !path.is_file()) {
            return Err(Error::new(
                Exit::Config,
                format!("the compose file {missing} of environment `{name}` does not exist"),
            )
            .with_hint("correct `files` in infra.toml"));
        }
        let mut service_env_files = service_env_files(&files, root);
        service_env_files.retain(|file| !common.contains(file));
        let protected = settings.and_then(|settings| settings.protected).unwrap_or(name == "production");
        Ok(Self { name, is_default, files, profiles, env_files, own_env_file, service_env_files, protected })
    }
}

impl Environment {
    /// All env files that exist: the environment's, then those of services.
    pub(crate) fn all_env_files(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.env_files.iter().chain(self.service_env_files.iter().filter(|path| path.is_file()))
    }
}

/// The committed template of an env file: `.env.example` for `.env`.
pub(crate) fn template_of(env_file: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{env_file}.example"))
}

/// What inference has to ask Compose.
pub(super) trait Probe {
    /// The profiles that these files name.
    fn profiles(&self, files: &[Utf8PathBuf]) -> Vec<String>;
    /// Whether these files are a valid project by themselves.
    fn stands_alone(&self, files: &[Utf8PathBuf]) -> bool;
}

/// Without a word in the manifest: a file named after the environment, a profile of its name, an env file of its name.
fn infer(
    root: &Utf8Path,
    name: &str,
    is_default: bool,
    base_files: Vec<Utf8PathBuf>,
    mut profiles: Vec<String>,
    manifest: &Manifest,
    probe: &dyn Probe,
) -> Result<(Vec<Utf8PathBuf>, Vec<String>)> {
    let candidates = overlay_candidates(root, name);
    let has_env_file =
        root.join(format!(".env.{name}")).is_file() || root.join(format!(".env.{name}.example")).is_file();
    if is_default && candidates.is_empty() {
        return Ok((base_files, profiles));
    }
    let has_profile = probe.profiles(&base_files).iter().any(|profile| profile == name);
    if has_profile {
        profiles.push(name.to_owned());
    }
    match &candidates[..] {
        [] if has_profile || has_env_file => Ok((base_files, profiles)),
        [] => Err(unknown(root, name, manifest, &probe.profiles(&base_files))),
        // A file that is not a whole project can only be an overlay; one that is could be either.
        [file] if !probe.stands_alone(std::slice::from_ref(file)) => {
            Ok((base_files.into_iter().chain([file.clone()]).collect(), profiles))
        }
        [file] if base_files.is_empty() => Ok((vec![file.clone()], profiles)),
        several => {
            let relative = |path: &Utf8PathBuf| path.strip_prefix(root).unwrap_or(path).to_string();
            let list = several.iter().map(relative).collect::<Vec<_>>().join("`, `");
            let base = base_files.first().map(relative).unwrap_or_default();
            let own = relative(&several[0]);
            Err(Error::new(Exit::Config, format!("`{list}` could be an overlay or a project of its own; for environment `{name}` that must be said"))
                .with_hint(format!("in infra.toml write `[environments.{name}]` with `files = [\"{base}\", \"{own}\"]` or `files = [\"{own}\"]`")))
        }
    }
}

fn unknown(root: &Utf8Path, name: &str, manifest: &Manifest, profiles: &[String]) -> Error {
    let mut known = known::environments(root, manifest);
    known.extend(profiles.iter().cloned());
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are: {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    Error::new(Exit::Config, format!("there is no environment `{name}`: no statement in infra.toml, no compose file, profile or env file of that name"))
        .with_hint(hint)
}
