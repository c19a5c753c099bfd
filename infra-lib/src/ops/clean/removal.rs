//! Removing what the inventory found: containers first, dependents before what they depend on, then the rest by kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;

use crate::compose::Container;
use crate::exec::Invocation;
use crate::failure::ErrorKind;
use crate::project::Project;
use crate::project::error::Result;
use crate::stack::grace::stop_calls;
use crate::stack::levels::levels;

use super::inventory::{CleanKind, CleanObject};

/// What has become of the objects.
#[derive(Default)]
pub(super) struct Removal {
    pub(super) removed: Vec<CleanObject>,
    /// What is still there, with the reason.
    pub(super) remaining: Vec<String>,
}

/// Removes everything it can. Interrupted before anything was removed, it is an error.
pub(super) fn remove_all(project: &Project, objects: Vec<CleanObject>, containers: &[Container]) -> Result<Removal> {
    let mut removal = Removal::default();
    for group in groups(project, objects, containers) {
        let Some(kind) = group.first().map(|object| object.kind) else { continue };
        let names = group.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        project.step(format_args!("removing {names}"));
        match remove(project, kind, &group, containers) {
            Ok(()) => removal.removed.extend(group),
            Err(error) if error.kind() == ErrorKind::Cancelled && removal.removed.is_empty() => return Err(error),
            Err(_) => removal.one_by_one(project, kind, group, containers),
        }
    }
    Ok(removal)
}

impl Removal {
    /// After an error: what is still there is tried again, each by itself and so with its own reason.
    fn one_by_one(&mut self, project: &Project, kind: CleanKind, group: Vec<CleanObject>, containers: &[Container]) {
        for object in group {
            if is_gone(project, &object) {
                self.removed.push(object);
                continue;
            }
            match remove(project, kind, std::slice::from_ref(&object), containers) {
                Ok(()) => self.removed.push(object),
                Err(error) => self.remaining.push(format!("{object}: {error}")),
            }
        }
    }
}

/// The objects of each group can be removed at the same time.
fn groups(project: &Project, objects: Vec<CleanObject>, containers: &[Container]) -> Vec<Vec<CleanObject>> {
    let mut kinds: BTreeMap<CleanKind, Vec<CleanObject>> = BTreeMap::new();
    for object in objects {
        kinds.entry(object.kind).or_default().push(object);
    }
    let mut groups = Vec::new();
    if let Some(mut left) = kinds.remove(&CleanKind::Container) {
        // Files that cannot be read do not keep containers from being removed.
        let model = project.model().cloned().unwrap_or_default();
        let (known, orphans): (BTreeSet<_>, BTreeSet<_>) =
            containers.iter().map(|it| it.service.clone()).partition(|service| model.services.contains_key(service));
        for level in std::iter::once(orphans).chain(levels(&model, &known).into_iter().rev()) {
            let ids: BTreeSet<&str> =
                containers.iter().filter(|it| level.contains(&it.service)).map(|it| it.id.as_str()).collect();
            let (now, later) = left.into_iter().partition(|object| ids.contains(object.id.as_str()));
            groups.push(now);
            left = later;
        }
    }
    groups.extend(kinds.into_values());
    groups
}

fn remove(project: &Project, kind: CleanKind, group: &[CleanObject], containers: &[Container]) -> Result<()> {
    let ids: BTreeSet<&str> = group.iter().map(|object| object.id.as_str()).collect();
    let change = |call: &Invocation| project.compose().change(project.runner(), call);
    let docker =
        |args: &[&str]| change(&Invocation::new("docker").args(args.iter().copied()).args(ids.iter().copied()));
    match kind {
        CleanKind::Container => {
            let model = project.model().cloned().unwrap_or_default();
            for call in stop_calls(&model, containers.iter().filter(|it| ids.contains(it.id.as_str()))) {
                change(&call)?;
            }
            docker(&["rm", "--force"])?;
        }
        CleanKind::Network => _ = docker(&["network", "rm"])?,
        CleanKind::Volume => _ = docker(&["volume", "rm"])?,
        CleanKind::Image => _ = docker(&["image", "rm"])?,
        CleanKind::Builder => _ = docker(&["buildx", "rm"])?,
        CleanKind::LocalDatabase => project.remove_local_database()?,
    }
    Ok(())
}

/// Whether the engine says that it does not exist any more.
fn is_gone(project: &Project, object: &CleanObject) -> bool {
    let kind = match object.kind {
        CleanKind::Container => "container",
        CleanKind::Network => "network",
        CleanKind::Volume => "volume",
        CleanKind::Image => "image",
        CleanKind::Builder | CleanKind::LocalDatabase => return false,
    };
    let found: Result<Vec<IgnoredAny>, _> =
        project.compose().inspect(project.runner(), kind, std::slice::from_ref(&object.id));
    found.is_ok_and(|found| found.is_empty())
}
