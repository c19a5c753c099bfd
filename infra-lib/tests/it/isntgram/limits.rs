//! What Docker enforces: resources, users, rights, log files, and the timing of health checks.

use serde_json::{Value, json};

use crate::support::*;

const MB: u64 = 1024 * 1024;
const SECOND: u64 = 1_000_000_000;

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
        let bindings = container["HostConfig"]["PortBindings"].as_object().unwrap();
        assert_eq!(bindings.len(), 1, "{}", service_of(container));
        let host = &bindings.values().next().unwrap()[0]["HostIp"];
        assert_eq!(host, "127.0.0.1", "{} is not for the network", service_of(container));
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
    for container in &containers {
        let mounts = container["Mounts"].as_array().unwrap();
        let writable = mounts.iter().filter(|mount| mount["Type"] == "bind" && mount["RW"] == true);
        assert_eq!(writable.count(), 0, "{} writes into the checkout", service_of(container));
    }
}

fn check(containers: &[Value], expected: &[Expected]) {
    assert_eq!(containers.len(), expected.len(), "nothing else runs");
    for Expected(name, memory, reserved, cpus, pids, user, [interval, timeout, start]) in expected {
        let container = containers.iter().find(|container| service_of(container) == *name).expect(name);
        let (host, config) = (&container["HostConfig"], &container["Config"]);
        assert_eq!(host["Memory"], memory * MB, "{name}");
        assert_eq!(host["MemoryReservation"], reserved * MB, "{name}");
        assert_eq!(host["NanoCpus"], cpus * 10_000_000, "{name}");
        assert_eq!(host["PidsLimit"], *pids, "{name}");
        assert_eq!(config["User"], *user, "{name}");
        let health = &config["Healthcheck"];
        let timing = ["Interval", "Timeout", "StartPeriod"].map(|key| health[key].as_u64().unwrap() / SECOND);
        assert_eq!(timing, [*interval, *timeout, *start], "{name}: {health}");
        assert_eq!(health["Retries"], if *name == "postgres" { 5 } else { 3 }, "{name}: {health}");
        assert_eq!(health["StartInterval"], SECOND / 2, "{name}: {health}");
        assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped", "{name}");
        let rotation = json!({"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}});
        assert_eq!(host["LogConfig"], rotation, "{name}");
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{name}");
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(host["Init"], true, "{name}");
        assert_eq!(host["ReadonlyRootfs"], *name != "postgres", "{name}");
    }
}
