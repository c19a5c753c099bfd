//! The compose model, even of a checkout without env files, as on a build server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::compose::Model;
use crate::compose::declared::Named;
use crate::compose::sources::Sources;
use crate::dotenv::EnvFile;
use crate::dotenv::references::{HOLE, literal, references};
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{Project, template_of};

/// The stand-in for a required variable that only a real env file would have, by its use. The usual one can be a port,
/// a user's number and a tag.
fn stand_in(name: &str, text: &str) -> &'static str {
    let has = |words: &[&str]| name.to_ascii_uppercase().split('_').any(|word| words.contains(&word));
    let parts = literal(text);
    let parts: Vec<&str> = parts.split(':').collect();
    let alone = text.starts_with("${") && parts[0].chars().all(|c| c == HOLE);
    match parts.len() {
        // ADDRESS:PORT:PORT
        3 if alone && references(text).first().is_some_and(|first| first.name == name) => "127.0.0.1",
        2 if alone && parts[1].starts_with('/') => "/stand-in",
        _ if has(&["SUBNET", "CIDR", "NETWORK"]) => "10.254.254.0/24",
        _ if has(&["ADDR", "ADDRESS", "BIND", "IP", "HOST"]) => "127.0.0.1",
        _ if has(&["DIR", "PATH", "FOLDER"]) => "/stand-in",
        _ if has(&["INTERVAL", "TIMEOUT", "PERIOD", "DELAY"]) => "10s",
        _ if has(&["ENABLED", "DEBUG", "READONLY"]) => "true",
        _ => "20001",
    }
}

/// The model, and whether templates replaced env files.
pub(super) fn model(project: &Project, sources: &Sources) -> Result<(Model, bool)> {
    let overlay = overlay(sources);
    let there = project.expect_env_file();
    if there.is_ok() && overlay.is_none() {
        return Ok((project.model()?.clone(), false));
    }
    let mut compose = project.compose().clone();
    let mut given: Vec<(String, String)> = Vec::new();
    if let Err(missing) = there {
        let expected = project.environment().expected_env_files.iter();
        compose.env_files = expected
            .filter_map(|path| [path.clone(), template_of(path)].into_iter().find(|path| path.is_file()))
            .collect();
        // Without any, report which file is missing.
        if compose.env_files.is_empty() {
            return Err(missing);
        }
        let files = compose.env_files.iter().map(EnvFile::read).collect::<std::result::Result<Vec<_>, _>>()?;
        let is_set = |name: &str| {
            let entry = files.iter().rev().find_map(|file| file.entry(name));
            entry.is_some_and(|entry| !entry.template.expose().is_empty()) || std::env::var_os(name).is_some()
        };
        for (text, _) in sources.texts(&|_| true) {
            let required = references(text).into_iter().filter(|it| it.is_required() && !is_set(it.name));
            given.extend(required.map(|it| (it.name.to_owned(), stand_in(it.name, text).to_owned())));
        }
    }
    if overlay.is_some() {
        compose.files.push("-".into());
    }
    let model = compose.model_with(project.runner(), &given, overlay.as_deref()).map_err(|error| {
        let names: BTreeSet<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return Error::from(error);
        }
        // The reason would be about our stand-ins.
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        Error::new(Exit::Config, format!("the compose files cannot be checked without values of {names}"))
            .with_hint("set them in the env file; `cargo xtask setup` creates it from its template")
    })?;
    Ok((model, true))
}

/// An overlay that gives services the templates of missing env files; empty if none is missing.
fn overlay(sources: &Sources) -> Option<String> {
    let mut services: BTreeMap<String, Vec<Named>> = BTreeMap::new();
    for named in sources.env_files() {
        services.entry(named.service.clone()).or_default().push(named);
    }
    services.retain(|_, files| files.iter().any(|named| named.required && !named.path.is_file()));
    let lines = services.iter().map(|(service, files)| {
        let there = files
            .iter()
            .filter_map(|named| [named.path.clone(), template_of(&named.path)].into_iter().find(|path| path.is_file()));
        let there: Vec<String> = there.map(|path| json!(path).to_string()).collect();
        // Compose appends the lists of several files, unless told otherwise by a tag.
        format!("  {}: {{env_file: !override [{}]}}\n", json!(service), there.join(", "))
    });
    (!services.is_empty()).then(|| format!("services:\n{}", lines.collect::<String>()))
}
