//! What Docker enforces: resources, users, rights, log files, and the timing of health checks.

use serde_json::Value;

use super::stack::Stack;
use crate::support::{
    Confined, MB, SECOND, is_for_this_machine, is_hardened, published, service_of, writes_into_no_checkout,
};

/// Memory and its reservation in MiB, processors in hundredths, processes, user, seconds between health checks.
struct Expected(&'static str, u64, u64, u64, u64, &'static str, u64);

const DEVELOPMENT: [Expected; 3] = [
    Expected("db", 1024, 384, 100, 256, "70:70", 10),
    Expected("backend", 512, 128, 100, 128, "1001:1001", 10),
    Expected("frontend", 1024, 128, 100, 256, "1001:1001", 10),
];

const PRODUCTION: [Expected; 4] = [
    Expected("db", 1024, 384, 100, 256, "70:70", 10),
    Expected("backend", 512, 128, 100, 128, "1001:1001", 10),
    Expected("frontend", 128, 32, 50, 64, "1001:1001", 10),
    Expected("nginx", 128, 32, 50, 64, "1001:1001", 10),
];

pub(super) fn of_development(stack: &Stack) {
    let containers = stack.containers("development");
    check(&containers, &DEVELOPMENT);
    for container in &containers {
        assert_eq!(published(container).len(), 1, "{}", service_of(container));
        is_for_this_machine(container);
    }
}

pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, &PRODUCTION);
    for container in &containers {
        let name = service_of(container);
        assert_eq!(container["HostConfig"]["ReadonlyRootfs"], true, "{name} writes to its own file system");
        assert_eq!(published(container).len(), if name == "nginx" { 2 } else { 0 }, "ports of {name}");
        writes_into_no_checkout(container);
    }
}

fn check(containers: &[Value], expected: &[Expected]) {
    for &Expected(name, memory, reserved, cpus, pids, user, interval) in expected {
        let container = Confined { service: name, memory, cpus, user }.container(containers);
        let host = &container["HostConfig"];
        assert_eq!(host["MemoryReservation"], reserved * MB, "{name}");
        assert_eq!(host["PidsLimit"], pids, "{name}");
        let health = &container["Config"]["Healthcheck"];
        assert_eq!(health["Interval"], interval * SECOND, "{name}: {health}");
        let at_most = |key: &str, seconds: u64| health[key].as_u64().is_some_and(|it| it <= seconds * SECOND);
        assert!(at_most("Timeout", 5) && health["Retries"].as_u64().is_some_and(|it| it >= 3), "{name}: {health}");
        assert!(health["StartPeriod"].as_u64().is_some_and(|it| it >= 10 * SECOND), "{name}: {health}");
    }
    for container in containers {
        is_hardened(container);
        assert_eq!(container["HostConfig"]["Init"], true, "{}", service_of(container));
    }
}
