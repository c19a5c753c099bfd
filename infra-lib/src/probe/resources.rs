//! The containers' resource use against their limits.

use serde_json::Value;

use crate::compose::Service;

use super::usage::{self, Usage};
use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "resources";

struct Resources;

/// The share of a limit above which a warning is given.
const MOST: f64 = 90.0;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    if snapshot.running().next().is_some() { vec![Box::new(Resources)] } else { Vec::new() }
}

impl Probe for Resources {
    fn target(&self) -> String {
        "containers".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        match usage::of_all(snapshot, |usage| usage.cpu / allowed(snapshot, usage.service) > MOST) {
            Ok(usages) => judge(snapshot, &usages),
            Err(why) => vec![Check::skip(KIND, self.target(), why)],
        }
    }
}

fn judge(snapshot: &Snapshot<'_>, usages: &[Usage<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut all = Vec::new();
    for Usage { service, container, cpu, memory, used, limit } in usages {
        let target = &container.service;
        let allowed = allowed(snapshot, service);
        let cpu_share = cpu / allowed;
        if *memory > MOST {
            let detail = format!("takes {memory:.0} % of its memory ({used} of {limit})");
            checks.push(Check::warn(KIND, target, detail).with_hint("raise its limit, or look for what it holds"));
        }
        if cpu_share > MOST {
            let detail = format!("takes {cpu_share:.0} % of its {allowed} cores");
            checks.push(Check::warn(KIND, target, detail).with_hint(format!(
                "`cargo xtask stats` shows whether that lasts; if it does, look at its log, or share the work: `cargo xtask scale {target}=2`"
            )));
        }
        all.push(format!("{target} {cpu:.0} % {used}"));
    }
    if checks.is_empty() && !all.is_empty() {
        checks.push(Check::ok(KIND, "containers", all.join(", ")));
    }
    checks
}

/// How many cores a container of the service may use.
fn allowed(snapshot: &Snapshot<'_>, service: &Service) -> f64 {
    let machine = || snapshot.engine().map_or(1, |engine| engine.cores);
    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    limit(service, "cpus").unwrap_or_else(|| machine() as f64).max(0.01)
}

/// `deploy.resources.limits.cpus`, or `cpus`.
fn limit(service: &Service, name: &str) -> Option<f64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number > 0.0);
    let deployed = service.deploy.pointer("/resources/limits").and_then(|limits| limits.get(name)).and_then(number);
    deployed.or_else(|| service.rest.get(name).and_then(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{container, in_stack};

    fn line(service: &str, cpu: &str, memory: &str) -> String {
        format!(
            r#"{{"ID":"{service}-id","CPUPerc":"{cpu}","MemPerc":"{memory}","MemUsage":"12MiB / 16MiB",
                "Name":"x-{service}-1","NetIO":"0B / 0B","BlockIO":"0B / 0B","PIDs":"1"}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn what_comes_near_its_limit_is_named() {
        let model = r#"{"name":"x","services":{"web":{"deploy":{"resources":{"limits":{"cpus":0.5}}}},"db":{}}}"#;
        in_stack("", model, vec![container("web"), container("db")], |snapshot| {
            let judge = |web: &str, db: &str| judge(snapshot, &usage::parse(snapshot, &format!("{web}\n{db}\n")));
            let fine = judge(&line("web", "40.00%", "75.00%"), &line("db", "120.00%", "1.00%"));
            assert_eq!(fine[0].detail, "web 40 % 12MiB, db 120 % 12MiB");
            let busy = judge(&line("web", "49.00%", "95.00%"), &line("db", "199.00%", "1.00%"));
            let found: Vec<_> = busy.iter().map(|check| (check.target.as_str(), check.status)).collect();
            assert_eq!(found, [("web", Verdict::Warn), ("web", Verdict::Warn), ("db", Verdict::Warn)]);
            assert_eq!(busy[0].detail, "takes 95 % of its memory (12MiB of 16MiB)");
        });
    }
}
