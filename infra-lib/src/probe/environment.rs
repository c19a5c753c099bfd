//! Containers whose environment is older than the env file.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::{Container, Service};

use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "environment";

struct Environments;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    if snapshot.running().next().is_some() { vec![Box::new(Environments)] } else { Vec::new() }
}

impl Probe for Environments {
    fn target(&self) -> String {
        "containers".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let mut stale: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut current = 0;
        for (service, container) in snapshot.running() {
            let keys = outdated(service, container);
            if keys.is_empty() {
                current += 1;
            } else {
                stale.entry(&container.service).or_default().extend(keys);
            }
        }
        let mut checks: Vec<Check> = stale
            .into_iter()
            .map(|(service, keys)| {
                let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
                Check::warn(KIND, service, format!("runs with older values of {keys}"))
                    .with_hint("recreate it with `cargo xtask start`")
            })
            .collect();
        if current > 0 {
            let what = if checks.is_empty() { "as the env files say" } else { "the others are as the env files say" };
            checks.push(Check::ok(KIND, self.target(), what));
        }
        checks
    }
}

/// The keys, never the values, that differ between the container and what Compose would set now.
fn outdated<'s>(service: &'s Service, container: &Container) -> Vec<&'s str> {
    let has: BTreeMap<&str, &str> = container.environment.iter().filter_map(|entry| entry.split_once('=')).collect();
    let wanted = service.environment.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)));
    wanted.filter(|(key, value)| has.get(key) != Some(value)).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{container, in_stack};

    #[test]
    fn a_changed_value_is_named_by_its_key_alone() {
        let model = r#"{"name":"x","services":{
            "web":{"environment":{"PORT":"80","DB_PASSWORD":"new$$secret","FROM_SHELL":null}},"db":{"environment":{"A":"1"}}}}"#;
        let with = |service: &str, environment: &[&str]| {
            let mut container = container(service);
            container.environment = environment.iter().map(|&entry| entry.to_owned()).collect();
            container
        };
        let db = || with("db", &["A=1", "PATH=/bin"]);
        in_stack("", model, vec![with("web", &["PORT=80", "DB_PASSWORD=old"]), db()], |snapshot| {
            let checks = Environments.check(snapshot);
            assert_eq!(checks.len(), 2);
            assert_eq!((checks[0].status, checks[0].target.as_str()), (Verdict::Warn, "web"));
            assert_eq!(checks[0].detail, "runs with older values of DB_PASSWORD");
        });
        in_stack("", model, vec![with("web", &["PORT=80", "DB_PASSWORD=new$secret"]), db()], |snapshot| {
            let checks = Environments.check(snapshot);
            assert!(matches!(&checks[..], [only] if only.status == Verdict::Ok), "{checks:?}");
        });
    }
}
