//! The compose model, even of a checkout without env files, as on a build server.

use std::collections::BTreeMap;

use serde_json::json;

use crate::compose::Model;
use crate::compose::declared::Named;
use crate::compose::sources::Sources;
use crate::dotenv::EnvFile;
use crate::dotenv::references::references;
use crate::project::error::Result;
use crate::project::{Project, template_of};

/// The stand-in for a required variable that only a real env file would have: it can be a port, a user's number and a tag.
const STAND_IN: &str = "20001";

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
            given.extend(required.map(|it| (it.name.to_owned(), STAND_IN.to_owned())));
        }
    }
    if overlay.is_some() {
        compose.files.push("-".into());
    }
    Ok((compose.model_with(project.runner(), &given, overlay.as_deref())?, true))
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
