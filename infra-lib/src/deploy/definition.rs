//! The definition of each service: a digest of everything that its containers are made from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::compose::{Compose, Service};
use crate::hex::sha256;
use crate::project::Project;
use crate::project::error::Result;

use super::routes::Route;

/// The digests of the services of a project that was opened from a release without a deploy's overlay. `base` is what
/// every deploy of the release adds to its files.
pub(super) fn definitions(project: &Project, base: &Value, routes: &[Route]) -> Result<BTreeMap<String, String>> {
    let mut compose: Compose = project.compose().clone();
    compose.files.push("-".into());
    let call = compose.call(["config", "--format", "json"]).stdin(base.to_string());
    let output = compose.read(project.runner(), &call)?;
    let resolved: Value = serde_json::from_slice(&output.stdout).map_err(|reason| compose.bad_config(&reason))?;
    let model = project.model()?;
    let mut definitions = BTreeMap::new();
    for (name, service) in resolved.get("services").and_then(Value::as_object).into_iter().flatten() {
        let files = model.services.get(name).into_iter().flat_map(Service::secrets);
        let secrets: Vec<Option<String>> = files
            .map(|(secret, _)| {
                let path = model.secrets.get(secret)?.file.as_ref()?;
                std::fs::read(path).ok().map(sha256)
            })
            .collect();
        let aliases = routes.iter().find(|route| route.service == *name).map(|route| &route.networks);
        definitions.insert(name.clone(), sha256(json!([service, secrets, aliases]).to_string()));
    }
    Ok(definitions)
}
