//! Containers: whether they run, are healthy, and stay up.

use std::time::Duration;

use jiff::SignedDuration;

use crate::compose::readiness::{Baseline, Verdict};
use crate::compose::software::is_database;
use crate::compose::{Condition, Container, Status};
use crate::report::{ago, seconds};
use crate::stack::early_check::passes;

use super::{Check, Known, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "container";

/// The containers of one service.
struct Containers {
    service: String,
    expected: u64,
    /// Whether it must keep running, so that exiting with 0 is a failure.
    stays: bool,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    if snapshot.containers.is_none() {
        return Vec::new();
    }
    let replicas = |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_u64);
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    for (name, service) in &snapshot.services {
        let expected = replicas(service.deploy.get("replicas")).or(replicas(service.rest.get("scale"))).unwrap_or(1);
        probes.push(Box::new(Containers { service: (*name).to_owned(), expected, stays: stays(snapshot, name) }));
    }
    probes.extend(orphans(snapshot).map(|check| Box::new(Known(check)) as Box<dyn Probe>));
    // Servers that were stopped exit with 0, as finished jobs do.
    if !snapshot.has_live_containers() {
        let name = snapshot.project.name();
        probes.push(Box::new(Known(Check::fail(KIND, name, "nothing is running").with_hint("`cargo xtask start`"))));
    }
    probes
}

/// Containers that still run although the compose files no longer define their service.
fn orphans(snapshot: &Snapshot<'_>) -> impl Iterator<Item = Check> {
    let is_known = |name: &String| snapshot.model().is_none_or(|model| model.services.contains_key(name));
    let all = snapshot.containers.iter().flatten();
    all.filter(move |it| !it.one_off && !is_known(&it.service) && !it.status.is_down()).map(|container| {
        let (service, state) = (&container.service, container.state());
        Check::warn(KIND, service, format!("{state}, but the compose files no longer define `{service}`"))
            .with_hint(format!("`cargo xtask stop {service}`"))
    })
}

/// Whether a service serves: it listens, is checked, is a database, or another service waits for its health.
fn stays(snapshot: &Snapshot<'_>, name: &str) -> bool {
    let Some(service) = snapshot.services.get(name) else { return false };
    let waits_for = |condition| {
        let mut others = snapshot.services.values().filter_map(|other| other.depends_on.get(name));
        others.any(|dependency| dependency.condition == condition)
    };
    let listens = !service.ports.is_empty() || service.rest.get("expose").is_some_and(|ports| !ports.is_null());
    let checked = service.healthcheck.as_ref().is_some_and(|check| !check.disable);
    let serves = listens || checked || is_database(service) || waits_for(Condition::Healthy);
    serves && !waits_for(Condition::Completed)
}

impl Probe for Containers {
    fn target(&self) -> String {
        self.service.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let service = &self.service;
        let all: Vec<&Container> = snapshot.containers_of(service).collect();
        let mut checks: Vec<Check> = all
            .iter()
            .map(|container| {
                let target = if all.len() > 1 { &container.name } else { service };
                judge(snapshot, container, target, self.stays)
            })
            .collect();
        if all.is_empty() && self.expected > 0 {
            checks.push(
                Check::fail(KIND, service, "not running: no container")
                    .with_hint(format!("`cargo xtask start {service}`")),
            );
        } else if (all.len() as u64) < self.expected {
            let found = format!("{} of {} containers", all.len(), self.expected);
            checks.push(Check::warn(KIND, service, found).with_hint("`cargo xtask start` adds those that are missing"));
        }
        checks
    }
}

/// A container whose last restart is longer ago than this is stable; the restart is still reported.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

fn judge(snapshot: &Snapshot<'_>, container: &Container, target: &str, stays: bool) -> Check {
    let up = container.started.map(|started| snapshot.now.duration_since(started)).unwrap_or_default();
    let looping = container.restart_count > 0 && up < settled_after(container);
    // Earlier restarts are ignored once it is stable, as at a start.
    let baseline = if looping { Baseline::default() } else { Baseline::new(std::slice::from_ref(container)) };
    let restarts = match container.restart_count {
        1 => "restarted once".to_owned(),
        count => format!("restarted {count} times"),
    };
    let service = &container.service;
    let verdict = baseline.judge(container, snapshot.now);
    let text = match &verdict {
        Verdict::Ready if container.status == Status::Exited && stays => "stopped: exited (0)".to_owned(),
        Verdict::Ready if container.status == Status::Exited => return Check::ok(KIND, target, "done: exited (0)"),
        Verdict::Ready => {
            let since = container.started.map_or_else(String::new, |at| format!(" for {}", ago(at, snapshot.now)));
            let text = format!("{}{since}", container.state());
            return match container.restart_count {
                0 => Check::ok(KIND, target, text),
                _ if up < RECENT => Check::warn(KIND, target, format!("{text}; {restarts}"))
                    .with_hint(format!("`cargo xtask logs {service}` may say why")),
                _ => Check::ok(KIND, target, format!("{text}; {restarts}")),
            };
        }
        Verdict::NotYet(_) if passes(snapshot.project, container) => {
            return Check::ok(KIND, target, format!("answers its check{}", next_turn(container, up)));
        }
        Verdict::NotYet(text) if container.status == Status::Created => {
            return Check::fail(KIND, target, text).with_hint(format!("`cargo xtask start {service}`"));
        }
        Verdict::NotYet(text) => {
            return Check::fail(KIND, target, format!("not ready yet: {text}"))
                .with_hint("`cargo xtask health --wait` waits for it");
        }
        Verdict::Failed(_) if looping && container.status == Status::Running => {
            format!("{restarts}, now up for {}", seconds(Duration::try_from(up).unwrap_or_default()))
        }
        Verdict::Failed(text) => text.clone(),
    };
    let culprit = snapshot.project.culprit(container, &verdict);
    let mut detail = text;
    if !culprit.health.is_empty() {
        detail = format!("{detail}; health check: {}", one_line(&culprit.health));
    }
    if let Some(line) = culprit.log.iter().rev().find(|line| !line.trim().is_empty()) {
        detail = format!("{detail}; last log: {}", one_line(line));
    }
    let hint = match container.status {
        Status::Paused => format!("`docker unpause {}`", container.name),
        Status::Exited if container.exit_code == 0 => format!("`cargo xtask start {service}`"),
        Status::Exited | Status::Created => format!("`cargo xtask logs {service}`, then `cargo xtask start {service}`"),
        _ => format!("`cargo xtask logs {service}`"),
    };
    Check::fail(KIND, target, detail).with_hint(hint)
}

/// When the engine runs the check of a starting container next.
fn next_turn(container: &Container, up: SignedDuration) -> String {
    let Some(check) = &container.check else { return String::new() };
    let (up, interval) = (Duration::try_from(up).unwrap_or_default().as_secs(), check.interval.as_secs().max(1));
    format!("; the engine's next is due in {}", seconds(Duration::from_secs(interval - up % interval)))
}

/// How long a restarted container must run to count as stable again: three times its uptime on
/// average, so that neither one that dies each second nor one that dies each half minute ever does, while one
/// that had to wait a few seconds for its database soon does.
fn settled_after(container: &Container) -> SignedDuration {
    let lived = match (container.created, container.started) {
        (Some(created), Some(started)) => started.duration_since(created),
        _ => SignedDuration::ZERO,
    };
    let restarts = i32::try_from(container.restart_count).unwrap_or(i32::MAX).max(1);
    (lived / restarts * 3).clamp(SignedDuration::from_secs(10), SignedDuration::from_mins(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Health;
    use crate::probe;
    use crate::probe::snapshot::tests::{container, in_stack};

    fn status(change: impl FnOnce(&mut Container)) -> (probe::Verdict, String) {
        let mut container = container("web");
        change(&mut container);
        let mut found = None;
        in_stack("", r#"{"name":"x","services":{"web":{}}}"#, vec![container], |snapshot| {
            found = plan(snapshot)[0].check(snapshot).pop();
        });
        let check = found.unwrap();
        (check.status, check.detail)
    }

    fn up(container: &mut Container, seconds: i64, lived: i64) {
        let now = jiff::Timestamp::now();
        container.started = Some(now - SignedDuration::from_secs(seconds));
        container.created = Some(now - SignedDuration::from_secs(seconds + lived));
    }

    #[test]
    fn what_runs_or_is_done_is_ok() {
        assert_eq!(status(|_| {}), (probe::Verdict::Ok, "running for 1 h".to_owned()));
    }

    #[test]
    fn f09_f13_who_ended_well_is_done_only_if_it_does_not_serve() {
        let model = r#"{"name":"x","services":{
            "up":{}, "job":{"image":"postgres:16"}, "later":{}, "web":{"expose":["80"]}, "db":{"image":"postgres:16"},
            "api":{"depends_on":{"job":{"condition":"service_completed_successfully"}}}}}"#;
        let ended = |service: &str| Container { status: Status::Exited, ..container(service) };
        let ended = || ["job", "later", "web", "db", "api"].map(ended).to_vec();
        let found = |containers| {
            let mut failed = Vec::new();
            in_stack("", model, containers, |snapshot| {
                let checks = plan(snapshot).into_iter().flat_map(|probe| probe.check(snapshot));
                let bad = checks.filter(|check| check.status == probe::Verdict::Fail);
                failed = bad.map(|check| format!("{}: {}", check.target, check.detail)).collect();
            });
            failed
        };
        let up = [vec![container("up")], ended()].concat();
        assert_eq!(found(up), ["db: stopped: exited (0)", "web: stopped: exited (0)"]);
        assert!(found(ended()).iter().any(|line| line.ends_with(": nothing is running")));
    }

    #[test]
    fn f06_f11_unhealthy_and_paused_fail() {
        let (verdict, detail) = status(|container| {
            container.health = Health::Unhealthy;
            container.health_output = "connection\n refused".to_owned();
        });
        assert!(verdict == probe::Verdict::Fail && detail.contains("health check: connection refused"), "{detail}");
        assert_eq!(status(|container| container.status = Status::Paused).0, probe::Verdict::Fail);
    }

    #[test]
    fn f07_a_loop_fails_however_slow_and_a_late_dependency_is_forgiven() {
        let restarted = |count, up_for, lived| {
            status(|container| {
                container.restart_count = count;
                container.restart_policy = "always".to_owned();
                up(container, up_for, lived);
            })
        };
        assert_eq!(restarted(40, 1, 60).0, probe::Verdict::Fail, "each second");
        assert_eq!(restarted(5, 50, 300).0, probe::Verdict::Fail, "each minute");
        let (verdict, detail) = restarted(5, 30, 8);
        assert_eq!(verdict, probe::Verdict::Warn, "{detail}");
        assert_eq!(restarted(2, 3 * 3600, 8).0, probe::Verdict::Ok);
    }

    #[test]
    fn f13_a_missing_container_fails_and_a_missing_replica_warns() {
        let model = r#"{"name":"x","services":{"web":{"deploy":{"replicas":2}},"off":{"scale":0}}}"#;
        in_stack("", model, vec![], |snapshot| {
            let checks: Vec<Check> = plan(snapshot).iter().flat_map(|probe| probe.check(snapshot)).collect();
            let found: Vec<_> = checks.iter().map(|check| (check.status, check.detail.as_str())).collect();
            assert_eq!(found[0], (probe::Verdict::Fail, "not running: no container"));
            assert_eq!(found[1..], [(probe::Verdict::Fail, "nothing is running")], "off is off");
        });
        in_stack("", model, vec![container("web")], |snapshot| {
            let checks: Vec<Check> = plan(snapshot).iter().flat_map(|probe| probe.check(snapshot)).collect();
            assert_eq!(checks[1].detail, "1 of 2 containers");
            assert_eq!(checks.len(), 2);
        });
    }
}
