//! What Docker enforces: resources, users, rights, log files, networks, and the timing of health checks.

use serde_json::{Value, json};

use crate::support::*;

/// Memory in MiB, processors in tenths, user, seconds between health checks.
struct Expected(&'static str, u64, u64, &'static str, u64);

const POSTGRES: Expected = Expected("postgres", 2048, 20, "70:70", 10);
const BACKEND: Expected = Expected("backend", 1536, 20, "1001:1001", 30);

const DEVELOPMENT: [Expected; 4] =
    [POSTGRES, BACKEND, Expected("frontend", 512, 10, "1000:1000", 30), Expected("adminer", 256, 5, "100:101", 30)];
const PRODUCTION_FORM: [Expected; 4] =
    [POSTGRES, BACKEND, Expected("frontend", 512, 10, "101:101", 30), Expected("nginx", 256, 10, "101:101", 30)];

pub(super) fn of_development(stack: &Stack) {
    let containers = stack.containers("development");
    check(&containers, &DEVELOPMENT);
    for container in &containers {
        assert_eq!(published(container).len(), 1, "{}", service_of(container));
        is_for_this_machine(container);
    }
    has_its_networks(stack, "development");
}

pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, &PRODUCTION_FORM);
    for container in &containers {
        let name = service_of(container);
        assert_eq!(published(container).len(), if name == "nginx" { 2 } else { 0 }, "ports of {name}");
        writes_into_no_checkout(container);
    }
    let postgres = stack.container("production", "postgres");
    let networks: Vec<&String> = postgres["NetworkSettings"]["Networks"].as_object().unwrap().keys().collect();
    assert_eq!(networks, [&format!("{}_database_network", stack.compose_name("production"))]);
    has_its_networks(stack, "production");
}

/// The one with the stated range, and the one that leads nowhere.
fn has_its_networks(stack: &Stack, environment: &str) {
    let name = |network: &str| format!("{}_{network}", stack.compose_name(environment));
    let inspect = |name: &str| -> Value { serde_json::from_str(&docker(["network", "inspect", name])).unwrap() };
    let range = stack.variable(&format!(".env.{environment}"), "NETWORK_SUBNET");
    let outer = inspect(&name("pagodirecto_network"));
    assert_eq!((&outer[0]["IPAM"]["Config"][0]["Subnet"], &outer[0]["Internal"]), (&json!(range), &json!(false)));
    assert_eq!(inspect(&name("database_network"))[0]["Internal"], true);
}

fn check(containers: &[Value], expected: &[Expected]) {
    assert_eq!(containers.iter().filter(|it| service_of(it) != "certs").count(), expected.len());
    for &Expected(name, memory, cpus, user, interval) in expected {
        let container = Confined { service: name, memory, cpus: cpus * 10, user }.container(containers);
        let health = &container["Config"]["Healthcheck"];
        assert_eq!(health["Interval"], interval * SECOND, "{name}: {health}");
        assert!(health["Retries"].as_u64().is_some_and(|it| it >= 3), "{name}: {health}");
    }
    for container in containers {
        let (name, host) = (service_of(container), &container["HostConfig"]);
        is_hardened(container);
        assert_eq!(host["ReadonlyRootfs"], true, "{name} writes to its own file system");
        assert_eq!(host["Init"], true, "{name}");
    }
}
