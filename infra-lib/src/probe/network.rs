//! Networks: whether they exist, and which services are connected.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "network";

/// The networks that the active services use.
struct Networks(Vec<Used>);

struct Used {
    /// As the engine knows it.
    name: String,
    external: bool,
    services: Vec<String>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Name")]
    name: String,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let Some(model) = snapshot.model() else { return Vec::new() };
    // Without a container there is no network either; that nothing runs is reported elsewhere.
    if !snapshot.has_containers() {
        return Vec::new();
    }
    let used = model.networks.iter().map(|(key, network)| {
        let on = snapshot.services.iter().filter(|(_, service)| service.networks.contains_key(key));
        Used {
            name: network.name.clone(),
            external: network.external,
            services: on.map(|(name, _)| (*name).to_owned()).collect(),
        }
    });
    let used: Vec<_> = used.filter(|network| !network.services.is_empty()).collect();
    if used.is_empty() { Vec::new() } else { vec![Box::new(Networks(used))] }
}

impl Probe for Networks {
    fn target(&self) -> String {
        self.0.iter().map(|network| network.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let names: Vec<String> = self.0.iter().map(|network| network.name.clone()).collect();
        let project = snapshot.project;
        match project.compose().inspect::<Raw>(project.runner(), "network", &names) {
            Ok(found) => {
                let found: BTreeSet<String> = found.into_iter().map(|network| network.name).collect();
                self.0.iter().map(|network| judge(snapshot, network, found.contains(&network.name))).collect()
            }
            Err(error) => vec![Check::fail(KIND, self.target(), super::one_line(&error.to_string()))],
        }
    }
}

fn judge(snapshot: &Snapshot<'_>, network: &Used, exists: bool) -> Check {
    let Used { name, external, services } = network;
    if !exists {
        let hint = if *external {
            format!("create it with `docker network create {name}`, since it is external")
        } else {
            "`cargo xtask start` creates it".to_owned()
        };
        return Check::fail(KIND, name, "does not exist").with_hint(hint);
    }
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for (_, container) in snapshot.running().filter(|(_, container)| services.contains(&container.service)) {
        match container.addresses.get(name) {
            Some(address) if address.is_empty() => on.push(container.service.clone()),
            Some(address) => on.push(format!("{} {address}", container.service)),
            None => off.push(container.service.as_str()),
        }
    }
    let on = if on.is_empty() { "none".to_owned() } else { on.join(", ") };
    if off.is_empty() {
        return Check::ok(KIND, name, on);
    }
    Check::fail(KIND, name, format!("{} should be connected and is not; connected: {on}", off.join(", ")))
        .with_hint("`cargo xtask start` connects it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{container, in_stack};

    #[test]
    fn who_is_on_a_network_and_who_should_be() {
        let model = r#"{"name":"x","networks":{"n":{"name":"x_n"}},"services":{
            "web":{"networks":{"n":null}},"db":{"networks":{"n":null}},"alone":{"network_mode":"none"}}}"#;
        let on = |service: &str| {
            let mut container = container(service);
            container.addresses.insert("x_n".to_owned(), "10.0.0.2".to_owned());
            container
        };
        let used = || Used { name: "x_n".into(), external: false, services: vec!["db".into(), "web".into()] };
        in_stack("", model, vec![on("web"), on("db"), container("alone")], |snapshot| {
            let check = judge(snapshot, &used(), true);
            assert_eq!((check.status, check.detail.as_str()), (Verdict::Ok, "db 10.0.0.2, web 10.0.0.2"));
            assert_eq!(judge(snapshot, &used(), false).status, Verdict::Fail);
            assert_eq!(plan(snapshot)[0].target(), "x_n");
        });
        in_stack("", model, vec![on("web"), container("db")], |snapshot| {
            let check = judge(snapshot, &used(), true);
            assert!(check.status == Verdict::Fail && check.detail.starts_with("db should be connected"), "{check:?}");
        });
    }
}
