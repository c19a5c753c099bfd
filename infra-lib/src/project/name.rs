//! How the compose project's name is determined.

use crate::compose::identity;
use crate::config::Config;
use crate::dotenv::Resolved;
use crate::exit::Exit;
use crate::project::error::{Error, Result};

use super::environment::Environment;
use super::record::Record;

/// Returns an error for a name from `.env` that Compose does not take.
fn refuse_invalid(name: &str, settings: &Resolved) -> Result<()> {
    const KEY: &str = "COMPOSE_PROJECT_NAME";
    let valid = identity::normalise(name);
    match settings.get(KEY).filter(|variable| variable.value.expose() == name && valid != name) {
        None => Ok(()),
        Some(variable) => {
            let message = format!("{}: {KEY} is `{name}`, which is not a valid project name", variable.origin);
            Err(Error::new(Exit::Config, message).with_hint(format!("use `{valid}`, for example")))
        }
    }
}

/// How the project's name is determined.
pub(super) enum Name {
    /// The environment states the complete name.
    Complete(String),
    /// The base name; every environment except the default one appends its name, so that each has its own containers,
    /// networks and volumes.
    Base(String),
    /// The compose files and their folder determine the name.
    Declared,
}

pub(super) fn configured_name(
    manifest: &Config,
    environment: &Environment,
    record: Option<&Record>,
    settings: &Resolved,
) -> Result<Name> {
    let own = |key: &str| settings.value(key).map(str::to_owned).filter(|value| !value.is_empty());
    let filled = |name: &String| match name.strip_prefix("env:") {
        Some(key) => own(key).or_else(|| std::env::var(key).ok()).filter(|name| !name.is_empty()),
        None => Some(name.clone()),
    };
    let of_environment = manifest.environments.get(&environment.name).and_then(|it| it.project_name.as_ref());
    if let Some(name) = of_environment.and_then(filled) {
        return Ok(Name::Complete(name));
    }
    let base = record
        .and_then(|record| record.project_name.clone())
        .or_else(|| manifest.project.name.as_ref().and_then(filled))
        .or_else(|| own("COMPOSE_PROJECT_NAME"));
    base.iter().try_for_each(|name| refuse_invalid(name, settings))?;
    Ok(base.map_or(Name::Declared, Name::Base))
}

/// The name in an environment: without a suffix only in the default one.
pub(super) fn suffixed(name: String, environment: &Environment) -> String {
    if environment.is_default { name } else { format!("{name}-{}", identity::normalise(&environment.name)) }
}
