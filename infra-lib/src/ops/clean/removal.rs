//! Removing what the inventory found: containers first, dependents before what they depend on, then the rest by kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;

use crate::compose::{Container, Model};
use crate::exec::Invocation;
use crate::failure::ErrorKind;
use crate::project::Project;
use crate::project::error::Result;
use crate::stack::grace::stop_containers;
use crate::stack::levels::levels;

use super::inventory::{CleanKind, CleanObject};

/// What has become of the objects.
#[derive(Default)]
pub(super) struct Removal {
    pub(super) removed: Vec<CleanObject>,
    /// What is still there, with the reason.
    pub(super) remaining: Vec<String>,
}

/// What is needed to stop containers.
struct Stack<'a> {
    project: &'a Project,
    /// Empty if the files cannot be read, which does not keep containers from being removed.
    model: &'a Model,
    containers: &'a [Container],
}

/// Removes everything it can. Interrupted before anything was removed, it is an error.
pub(super) fn remove_all(project: &Project, objects: Vec<CleanObject>, containers: &[Container]) -> Result<Removal> {
    let empty = Model::default();
    // Without services there are no files.
    let model = if containers.is_empty() { &empty } else { project.model().unwrap_or(&empty) };
    let stack = Stack { project, model, containers };
    let mut removal = Removal::default();
    for group in stack.groups(objects) {
        let Some(kind) = group.first().map(|object| object.kind) else { continue };
        let names = group.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        project.step(format_args!("removing {names}"));
        match stack.remove(kind, &group) {
            Ok(()) => removal.removed.extend(group),
            Err(error) if error.kind() == ErrorKind::Cancelled && removal.removed.is_empty() => return Err(error),
            Err(_) => removal.one_by_one(&stack, kind, group),
        }
    }
    Ok(removal)
}

impl Removal {
    /// After an error: what is still there is tried again, each by itself and so with its own reason.
    fn one_by_one(&mut self, stack: &Stack<'_>, kind: CleanKind, group: Vec<CleanObject>) {
        for object in group {
            if is_gone(stack.project, &object) {
                self.removed.push(object);
                continue;
            }
            match stack.remove(kind, std::slice::from_ref(&object)) {
                Ok(()) => self.removed.push(object),
                Err(error) => self.remaining.push(format!("{object}: {error}")),
            }
        }
    }
}

impl Stack<'_> {
    /// The objects of each group can be removed at the same time.
    fn groups(&self, objects: Vec<CleanObject>) -> Vec<Vec<CleanObject>> {
        let mut kinds: BTreeMap<CleanKind, Vec<CleanObject>> = BTreeMap::new();
        for object in objects {
            kinds.entry(object.kind).or_default().push(object);
        }
        let mut groups = Vec::new();
        if let Some(mut left) = kinds.remove(&CleanKind::Container) {
            let services = self.containers.iter().map(|it| it.service.clone());
            let (known, orphans): (BTreeSet<_>, BTreeSet<_>) =
                services.partition(|service| self.model.services.contains_key(service));
            for level in std::iter::once(orphans).chain(levels(self.model, &known).into_iter().rev()) {
                let now = self.containers.iter().filter(|it| level.contains(&it.service));
                let ids: BTreeSet<&str> = now.map(|it| it.id.as_str()).collect();
                let (now, later) = left.into_iter().partition(|object| ids.contains(object.id.as_str()));
                groups.push(now);
                left = later;
            }
        }
        groups.extend(kinds.into_values());
        groups
    }

    /// Removes objects of one kind.
    fn remove(&self, kind: CleanKind, group: &[CleanObject]) -> Result<()> {
        let ids: BTreeSet<&str> = group.iter().map(|object| object.id.as_str()).collect();
        let docker = |args: &[&str]| {
            let call = Invocation::new("docker").args(args.iter().copied()).args(ids.iter().copied());
            self.project.compose().change(self.project.runner(), &call)
        };
        match kind {
            CleanKind::Container => {
                let these = self.containers.iter().filter(|it| ids.contains(it.id.as_str()));
                stop_containers(self.project, self.model, these)?;
                docker(&["rm", "--force"])?;
            }
            CleanKind::Network => _ = docker(&["network", "rm"])?,
            CleanKind::Volume => _ = docker(&["volume", "rm"])?,
            CleanKind::Image => _ = docker(&["image", "rm"])?,
            CleanKind::Builder => _ = docker(&["buildx", "rm"])?,
            CleanKind::LocalDatabase => self.project.remove_local_database()?,
        }
        Ok(())
    }
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
