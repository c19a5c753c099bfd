//! What Docker enforces: resources, users, rights, log files, and the timing of health checks.

use serde_json::{Value, json};

use super::stack::Stack;
use crate::support::service_of;

const MB: u64 = 1024 * 1024;

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
        let bindings = container["HostConfig"]["PortBindings"].as_object().unwrap();
        assert_eq!(bindings.len(), 1, "{}", service_of(container));
        let host = &bindings.values().next().unwrap()[0]["HostIp"];
        assert_eq!(host, "127.0.0.1", "{} is not for the network", service_of(container));
    }
}

pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, &PRODUCTION);
    for container in &containers {
        let name = service_of(container);
        assert_eq!(container["HostConfig"]["ReadonlyRootfs"], true, "{name} writes to its own file system");
        let published = container["HostConfig"]["PortBindings"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(published, if name == "nginx" { 2 } else { 0 }, "ports of {name}");
        let mounts = container["Mounts"].as_array().unwrap();
        let writable = mounts.iter().filter(|mount| mount["Type"] == "bind" && mount["RW"] == true);
        assert_eq!(writable.count(), 0, "{name} writes into the checkout");
    }
}

fn check(containers: &[Value], expected: &[Expected]) {
    for Expected(name, memory, reserved, cpus, pids, user, interval) in expected {
        let container = containers.iter().find(|container| service_of(container) == *name).expect(name);
        let (host, config) = (&container["HostConfig"], &container["Config"]);
        assert_eq!(host["Memory"], memory * MB, "{name}");
        assert_eq!(host["MemoryReservation"], reserved * MB, "{name}");
        assert_eq!(host["NanoCpus"], cpus * 10_000_000, "{name}");
        assert_eq!(host["PidsLimit"], *pids, "{name}");
        assert_eq!(config["User"], *user, "{name}");
        let health = &config["Healthcheck"];
        assert_eq!(health["Interval"], interval * 1_000_000_000, "{name}: {health}");
        let at_most = |key: &str, seconds: u64| health[key].as_u64().is_some_and(|it| it <= seconds * 1_000_000_000);
        assert!(at_most("Timeout", 5) && health["Retries"].as_u64().is_some_and(|it| it >= 3), "{name}: {health}");
        assert_eq!(health["StartInterval"], 500_000_000, "{name}: {health}");
        assert!(health["StartPeriod"].as_u64().is_some_and(|it| it >= 10_000_000_000), "{name}: {health}");
        assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped", "{name}");
    }
    for container in containers {
        let (name, host) = (service_of(container), &container["HostConfig"]);
        assert_eq!(
            host["LogConfig"],
            json!({"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}),
            "{name}"
        );
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{name}");
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(host["Init"], true, "{name}");
        let user = container["Config"]["User"].as_str().unwrap();
        assert!(!user.is_empty() && !user.starts_with('0') && !user.starts_with("root"), "{name} runs as {user:?}");
    }
}
