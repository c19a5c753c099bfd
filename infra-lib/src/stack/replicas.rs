//! The number of containers of each service.
//!
//! Without `--scale`, `docker compose up SERVICE` and `docker compose run SERVICE` also reset every dependency to the
//! number in the compose files. So each call states the current numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::container::Container;
use crate::compose::model::Model;

/// The number of containers per service.
pub(crate) type Replicas = BTreeMap<String, u32>;

/// The number of containers of a service, running or not, without those of `docker compose run`.
pub(crate) fn count(containers: &[Container], service: &str) -> u32 {
    let own = containers.iter().filter(|container| container.service == service && !container.one_off);
    u32::try_from(own.count()).unwrap_or(u32::MAX)
}

/// The current number of containers of every dependency of `services`, without `services` themselves. Inactive
/// services are left out, since Compose rejects a number for them.
pub(crate) fn of_dependencies(
    model: &Model,
    profiles: &[String],
    services: &BTreeSet<String>,
    containers: &[Container],
) -> Replicas {
    // Naming a service activates its profiles.
    let named = services.iter().filter_map(|name| model.services.get(name)).flat_map(|service| &service.profiles);
    let on: BTreeSet<&String> = profiles.iter().chain(named).collect();
    let all = model.with_dependencies(services.iter().map(String::as_str));
    let others = all.into_iter().filter(|(name, service)| {
        !services.contains(*name)
            && (service.profiles.is_empty() || service.profiles.iter().any(|profile| on.contains(profile)))
    });
    others.map(|(name, _)| (name.to_owned(), count(containers, name))).collect()
}

/// The `--scale` options for these numbers.
pub(crate) fn options(replicas: &Replicas) -> impl Iterator<Item = String> {
    replicas.iter().flat_map(|(service, count)| ["--scale".to_owned(), format!("{service}={count}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p26_optional_dependencies_that_are_off_get_no_number() {
        let model = Model::parse(
            br#"{"services":{"db":{},"tools":{"profiles":["tools"]},"web":{"depends_on":{"db":{},"tools":{"required":false}}}}}"#,
        )
        .unwrap();
        let replicas = |profiles: &[&str]| {
            let profiles: Vec<String> = profiles.iter().map(|&profile| profile.to_owned()).collect();
            let found = of_dependencies(&model, &profiles, &BTreeSet::from(["web".to_owned()]), &[]);
            options(&found).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(replicas(&[]), "--scale db=0");
        assert_eq!(replicas(&["tools"]), "--scale db=0 --scale tools=0");
    }
}
