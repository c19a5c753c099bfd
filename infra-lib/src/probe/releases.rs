//! Whether what runs is the live release, and nothing else.

use crate::release::Deploys;

use super::{Check, Known, Probe, Snapshot};

pub(super) const KIND: &str = "release";

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let deploys = Deploys::new(snapshot.project.state(), &snapshot.project.environment().name);
    let mut checks = Vec::new();
    if let Some(unfinished) = deploys.unfinished() {
        let step = unfinished.last_step().map(|step| step.to_string()).unwrap_or_default();
        let detail = format!("deploy {} was interrupted at `{step}`, or still runs", unfinished.number);
        checks.push(Check::fail(KIND, "deploy", detail).with_hint("`cargo xtask start` undoes or finishes it"));
    }
    if let Some(running) = snapshot.project.release() {
        let labels = running.labels();
        let differs = |service: &str, made_by: Option<u64>| {
            labels.get(service).is_some_and(|label| Some(label.number) != made_by)
        };
        let others =
            snapshot.running().filter(|(_, it)| differs(&it.service, it.deployed.as_ref().map(|label| label.number)));
        let before = checks.len();
        checks.extend(others.map(|(_, it)| {
            let detail = format!("{} is not from release {}", it.name, running.release.id);
            Check::fail(KIND, it.service.as_str(), detail).with_hint("`cargo xtask deploy` replaces it")
        }));
        if checks.len() == before {
            checks.push(Check::ok(KIND, "live", running.release.id.clone()));
        }
    }
    checks.into_iter().map(|check| Box::new(Known(check)) as Box<dyn Probe>).collect()
}
