//! When a service may start.

use std::collections::BTreeMap;

use crate::compose::model::{Condition, Model, Service};

/// How far a service is, over all its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether all its containers were started.
    pub(super) started: bool,
    /// Whether all of them are ready.
    pub(super) ready: bool,
    /// Whether all of them have exited with zero.
    pub(super) completed: bool,
    /// Whether one of them has failed.
    pub(super) failed: bool,
}

/// The standing of each service that has containers.
pub(super) type Standings = BTreeMap<String, Standing>;

/// Whether the dependencies of a service are met. A service without containers does not count: its profile is off, or
/// its number of containers is 0.
pub(super) fn may_start(service: &Service, standings: &Standings) -> bool {
    service.depends_on.iter().all(|(name, dependency)| {
        standings.get(name).is_none_or(|standing| {
            let is_met = match dependency.condition {
                Condition::Started => standing.started && !standing.failed,
                Condition::Healthy => standing.ready,
                Condition::Completed => standing.completed,
            };
            is_met || standing.failed && !dependency.required
        })
    })
}

/// Whether the others can do without this service: some depend on it, and all of them declare it as not required.
pub(super) fn is_optional(model: &Model, name: &str, standings: &Standings) -> bool {
    let mut dependents = standings
        .keys()
        .filter_map(|other| model.services.get(other)?.depends_on.get(name))
        .map(|dependency| dependency.required)
        .peekable();
    dependents.peek().is_some() && dependents.all(|is_required| !is_required)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Standing = Standing { started: false, ready: false, completed: false, failed: false };
    const UP: Standing = Standing { started: true, ..NEW };

    fn standings(states: &[(&str, Standing)]) -> Standings {
        states.iter().map(|(name, standing)| ((*name).to_owned(), *standing)).collect()
    }

    #[test]
    fn each_condition_waits_for_its_state() {
        let model = Model::parse(
            br#"{"services":{"web":{"depends_on":{
                "a":{"condition":"service_started","required":true},
                "b":{"condition":"service_healthy","required":true},
                "c":{"condition":"service_completed_successfully","required":true}}}}}"#,
        )
        .unwrap();
        let may = |a, b, c| may_start(&model.services["web"], &standings(&[("a", a), ("b", b), ("c", c)]));
        let (ready, done) = (Standing { ready: true, ..UP }, Standing { ready: true, completed: true, ..UP });
        assert!(may(UP, ready, done));
        assert!(!may(NEW, ready, done) && !may(UP, UP, done) && !may(UP, ready, ready));
        assert!(may_start(&model.services["web"], &standings(&[("a", UP)])), "those without containers do not count");
    }

    #[test]
    fn what_is_not_required_may_fail() {
        let model = Model::parse(
            br#"{"services":{"bad":{},"web":{"depends_on":{"bad":{"condition":"service_healthy","required":false}}},
                "api":{"depends_on":{"web":{"required":true}}}}}"#,
        )
        .unwrap();
        let failed = standings(&[("bad", Standing { failed: true, ..UP }), ("web", NEW), ("api", NEW)]);
        assert!(may_start(&model.services["web"], &failed));
        assert!(is_optional(&model, "bad", &failed));
        assert!(!is_optional(&model, "web", &failed) && !is_optional(&model, "api", &failed));
        let waiting = standings(&[("bad", UP), ("web", NEW)]);
        assert!(!may_start(&model.services["web"], &waiting), "it is waited for until it fails");
    }
}
