//! The last compose file of a deploy: it pins what runs, and labels it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::project::Project;
use crate::release::{Label, Release, Running};

use super::routes::{Route, folder};

/// The images and mounts of a release, without anything that differs from deploy to deploy.
pub(super) fn base(project: &Project, release: &Release, routes: &[Route]) -> Value {
    let mut services = Map::new();
    for (name, image) in &release.images {
        let own = release.mounts.iter().filter(|mount| mount.service == *name);
        let files = project.state().path().join("files");
        let mut volumes: Vec<Value> =
            own.map(|mount| bind(files.join(&mount.path).as_str(), &mount.target, mount.read_only)).collect();
        if let Some(route) = routes.iter().find(|route| route.via == *name) {
            volumes.push(bind(folder(project, name).as_str(), route.proxy.mount_point(), true));
        }
        services.insert(name.clone(), json!({"image": image.id, "volumes": volumes}));
    }
    json!({ "services": services })
}

fn bind(source: &str, target: &str, read_only: bool) -> Value {
    let options = json!({"create_host_path": false});
    json!({"type": "bind", "source": source, "target": target, "read_only": read_only, "bind": options})
}

/// The complete overlay.
pub(super) fn complete(base: Value, labels: &BTreeMap<String, Label>, routes: &[Route]) -> Value {
    let mut overlay = base;
    for (name, label) in labels {
        let Some(service) = overlay.pointer_mut("/services").and_then(|all| all.get_mut(name)) else { continue };
        let number = label.number.to_string();
        service["labels"] = label.to_json();
        service["environment"] = json!({"INFRA_DEPLOY": number});
        if let Some(route) = routes.iter().find(|route| route.service == *name) {
            let alias = route.host(Some(label.number));
            let networks: Map<String, Value> =
                route.networks.iter().map(|name| (name.clone(), json!({"aliases": [alias]}))).collect();
            service["networks"] = Value::Object(networks);
        }
    }
    overlay
}

/// The labels in the overlay that a project was opened with.
pub(super) fn labels_here(project: &Project) -> BTreeMap<String, Label> {
    project.release().map(Running::labels).unwrap_or_default()
}
