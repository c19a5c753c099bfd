//! Refusing to wait for the health of a service that has no health check.

use crate::compose::container::Container;
use crate::compose::model::{Condition, Model};
use crate::exit::Exit;
use crate::project::error::{Error, Result};

/// Returns an error if one of these containers waits for the health of another that has no health check. Compose finds
/// that out only after it has started the other.
pub(super) fn refuse(model: &Model, containers: &[&Container]) -> Result<()> {
    let has_none = |name: &str| {
        let mut own = containers.iter().filter(|container| container.service == name).peekable();
        own.peek().is_some() && own.all(|container| container.check.is_none())
    };
    for container in containers {
        let name = &container.service;
        let needed = model.services.get(name).into_iter().flat_map(|service| &service.depends_on);
        let mut needed =
            needed.filter(|(_, dependency)| dependency.condition == Condition::Healthy && dependency.required);
        if let Some((other, _)) = needed.find(|(other, _)| has_none(other)) {
            let what = format!("`{name}` waits until `{other}` is healthy, but `{other}` has no health check");
            return Err(Error::new(Exit::Config, what).with_hint(format!(
                "add `healthcheck:` to `{other}`, or use `condition: service_started`; nothing was started"
            )));
        }
    }
    Ok(())
}
