//! Ordering services by their dependencies.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::model::Model;

/// These services in groups: each depends only on earlier ones, directly or through services not included here.
pub(crate) fn levels(model: &Model, services: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for name in model.dependency_order() {
        let Some(service) = model.services.get(name) else { continue };
        let below = service.depends_on.keys().filter_map(|name| depths.get(name.as_str()));
        let depth = below.max().map_or(0, |depth| depth + 1);
        depths.insert(name, depth);
    }
    let mut levels: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for name in services {
        levels.entry(depths.get(name.as_str()).copied().unwrap_or(0)).or_default().insert(name.clone());
    }
    levels.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_comes_after_what_it_depends_on() {
        let model = Model::parse(
            br#"{"services":{"db":{},"cache":{},"api":{"depends_on":{"db":{},"cache":{}}},"web":{"depends_on":{"api":{}}},"mail":{}}}"#,
        )
        .unwrap();
        let groups = |names: &[&str]| {
            let groups = levels(&model, &names.iter().map(|&name| name.to_owned()).collect());
            groups.into_iter().map(|level| level.into_iter().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(groups(&["web", "api", "mail", "db", "cache"]), ["cache db mail", "api", "web"]);
        assert_eq!(groups(&["web", "db"]), ["db", "web"], "web depends on db through api");
    }
}
