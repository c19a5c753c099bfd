//! Starting created containers.

use std::collections::BTreeSet;

use crate::compose::container::Container;
use crate::compose::error::ComposeError;
use crate::compose::model::{Model, Service};
use crate::exec::invocation::Invocation;
use crate::project::Project;
use crate::project::error::Result;
use crate::stack::preflight::Preflight;
use crate::stack::replicas::{self, Replicas};

/// Whether Compose must start the containers of a service, since it does more than that at the start: it runs hooks,
/// and provides secrets and configs that do not come from files.
fn needs_compose(model: &Model, service: &Service) -> bool {
    let has = |key: &str| service.rest.get(key).is_some_and(|value| !value.is_null());
    let is_file = |name: &str| model.secrets.get(name).is_some_and(|secret| secret.file.is_some());
    has("post_start") || has("configs") || !service.secrets().all(|(name, _)| is_file(name))
}

/// Starts these containers of a service, which has `count` containers in all.
pub(super) fn start(
    project: &Project,
    model: &Model,
    name: &str,
    ids: &[String],
    count: u32,
    _passed: &Preflight,
) -> Result<(), ComposeError> {
    let needs_compose = model.services.get(name).is_some_and(|service| needs_compose(model, service));
    let call = if needs_compose {
        let up = ["up", "-d", "--no-deps", "--no-recreate", "--no-build", "--pull", "never"];
        let scale = replicas::options(&Replicas::from([(name.to_owned(), count)])).collect::<Vec<_>>();
        project.compose().call(up).args(scale).arg(name).relay("compose")
    } else {
        call(ids)
    };
    project.compose().change(project.runner(), &call).map(drop)
}

/// Shows in a dry run how these services would be started, dependencies first.
pub(in crate::stack) fn show(
    project: &Project,
    services: &BTreeSet<String>,
    containers: &[Container],
    wanted: &Replicas,
) -> Result<()> {
    let model = project.model()?;
    for name in model.dependency_order().into_iter().filter(|name| services.contains(*name)) {
        let existing = containers.iter().filter(|container| container.service == *name && !container.one_off);
        let mut names: Vec<String> = existing.map(|container| container.name.clone()).collect();
        let count = wanted.get(name).copied().unwrap_or_else(|| replicas::count(containers, name).max(1));
        for number in names.len() + 1..=count as usize {
            let fixed = model.services.get(name).and_then(|service| service.container_name.clone());
            names.push(fixed.unwrap_or_else(|| format!("{}-{name}-{number}", project.name())));
        }
        if !names.is_empty() {
            project.compose().change(project.runner(), &call(&names))?;
        }
    }
    Ok(())
}

fn call(containers: &[String]) -> Invocation {
    Invocation::new("docker").arg("start").args(containers.iter().cloned())
}
