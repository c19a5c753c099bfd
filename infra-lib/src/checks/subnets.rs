//! Subnets in the compose files that another network uses.

use crate::probe::{Check, Snapshot};
use crate::stack::subnets::clashes::{clashes, wanted};

const KIND: &str = "subnet";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let (Some(model), Ok(_)) = (snapshot.model(), snapshot.engine()) else { return Vec::new() };
    let wanted = wanted(model, None).len();
    if wanted == 0 {
        return Vec::new();
    }
    let clashes = clashes(snapshot.project, model, None);
    if clashes.is_empty() {
        return vec![Check::ok(KIND, "networks", format!("{wanted} declared subnets are free or this project's own"))];
    }
    clashes
        .into_iter()
        .map(|clash| {
            Check::fail(KIND, clash.network, format!("{} overlaps {}", clash.subnet, clash.holder))
                .with_hint(clash.hint)
        })
        .collect()
}
