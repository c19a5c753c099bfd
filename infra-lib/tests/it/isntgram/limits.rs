//! What Docker enforces: resources, users, rights, log files, and the timing of health checks.

use serde_json::Value;

use crate::support::*;

/// Memory and its reservation in MiB, processors in hundredths, processes, user; seconds between health checks, for one,
/// and before they count.
struct Expected(&'static str, u64, u64, u64, u64, &'static str, [u64; 3]);

const DEVELOPMENT: [Expected; 3] = [
    Expected("postgres", 512, 128, 100, 256, "70:70", [10, 5, 60]),
    Expected("api", 256, 64, 100, 128, "1000:1000", [30, 3, 30]),
    Expected("web", 256, 64, 100, 128, "1000:1000", [30, 3, 30]),
];

pub(super) fn of_development(stack: &Stack) {
    let containers = stack.containers("development");
    check(&containers, &DEVELOPMENT);
    for container in &containers {
        assert_eq!(published(container).len(), 1, "{}", service_of(container));
        is_for_this_machine(container);
    }
}

const PRODUCTION: [Expected; 3] = [
    Expected("api", 256, 64, 50, 64, "1000:1000", [30, 3, 5]),
    Expected("web", 256, 64, 50, 64, "1000:1000", [30, 3, 5]),
    Expected("reverse-proxy", 128, 32, 50, 64, "1000:1000", [30, 3, 5]),
];

pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, &PRODUCTION);
    containers.iter().for_each(writes_into_no_checkout);
}

fn check(containers: &[Value], expected: &[Expected]) {
    assert_eq!(containers.len(), expected.len(), "nothing else runs");
    for &Expected(name, memory, reserved, cpus, pids, user, [interval, timeout, start]) in expected {
        let container = Confined { service: name, memory, cpus, user }.container(containers);
        is_hardened(container);
        let (host, config) = (&container["HostConfig"], &container["Config"]);
        assert_eq!(host["MemoryReservation"], reserved * MB, "{name}");
        assert_eq!(host["PidsLimit"], pids, "{name}");
        let health = &config["Healthcheck"];
        let timing = ["Interval", "Timeout", "StartPeriod"].map(|key| health[key].as_u64().unwrap() / SECOND);
        assert_eq!(timing, [interval, timeout, start], "{name}: {health}");
        assert_eq!(health["Retries"], if name == "postgres" { 5 } else { 3 }, "{name}: {health}");
        assert_eq!(host["Init"], true, "{name}");
        assert_eq!(host["ReadonlyRootfs"], name != "postgres", "{name}");
    }
}
