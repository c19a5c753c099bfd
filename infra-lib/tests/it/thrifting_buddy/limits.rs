//! What Docker enforces: resources, users, rights, log files, and the timing of health checks.

use serde_json::{Value, json};

use crate::support::*;

/// Memory in MiB, processors in hundredths, processes, user; what production reserves of the first two.
struct Expected(&'static str, u64, u64, u64, &'static str, (u64, &'static str));

const SERVICES: [Expected; 6] = [
    Expected("postgres", 1024, 100, 256, "10070:10070", (256, "0.25")),
    Expected("redis", 128, 50, 64, "10071:10071", (64, "0.1")),
    Expected("backend", 1024, 100, 128, "10072:10072", (512, "0.5")),
    Expected("frontend", 128, 50, 64, "10073:10073", (32, "0.1")),
    Expected("nginx", 128, 50, 64, "10074:10074", (32, "0.25")),
    Expected("backup", 256, 50, 64, "10075:10075", (32, "0.1")),
];

pub(super) fn of_development(stack: &Stack) {
    let containers = stack.containers("development");
    check(&containers, false);
    for container in &containers {
        let is_published = ["backend", "nginx"].contains(&service_of(container));
        assert_eq!(published(container).len(), usize::from(is_published), "{}", service_of(container));
        is_for_this_machine(container);
    }
}

pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, true);
    for container in &containers {
        let name = service_of(container);
        assert_eq!(published(container).len(), if name == "nginx" { 2 } else { 0 }, "ports of {name}");
        writes_into_no_checkout(container);
        let image = container["Config"]["Image"].as_str().unwrap();
        assert!(image.ends_with(":1.0.0") && image.starts_with(stack.project.name()), "{name} runs {image}");
    }
    // What is reserved, as Compose resolves the file that stands alone.
    let file = stack.project.path("docker-compose.prod.yml");
    let env = stack.project.path(".env.production");
    let words =
        ["compose", "-f", file.to_str().unwrap(), "--env-file", env.to_str().unwrap(), "config", "--format", "json"];
    let model: Value = serde_json::from_str(&docker(words)).unwrap();
    for Expected(name, memory, cpus, _, _, (reserved, share)) in &SERVICES {
        let resources = &model["services"][*name]["deploy"]["resources"];
        let number =
            |value: &Value| value.as_str().map(|text| text.parse::<f64>().unwrap()).or(value.as_f64()).unwrap();
        let bytes = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(bytes(&resources["limits"]["memory"]), memory * MB, "{name}: {resources}");
        assert_eq!(bytes(&resources["reservations"]["memory"]), reserved * MB, "{name}: {resources}");
        assert!((number(&resources["limits"]["cpus"]) * 100.0 - f64::from(u32::try_from(*cpus).unwrap())).abs() < 0.01);
        assert!((number(&resources["reservations"]["cpus"]) - share.parse::<f64>().unwrap()).abs() < 1e-6, "{name}");
    }
}

fn check(containers: &[Value], production: bool) {
    for Expected(name, memory, cpus, pids, user, (reserved, _)) in &SERVICES {
        if *name == "backup" && !production {
            continue;
        }
        let (user, who) = (user.split(':').next().unwrap(), *user);
        let container = Confined { service: name, memory: *memory, cpus: *cpus, user: who }.container(containers);
        let (host, config) = (&container["HostConfig"], &container["Config"]);
        assert_eq!(host["PidsLimit"], *pids, "{name}");
        let expected = if production { reserved * MB } else { 0 };
        assert_eq!(host["MemoryReservation"], expected, "{name}");
        let health = &config["Healthcheck"];
        let seconds: u64 = if *name == "backup" { 60 } else { 10 };
        assert_eq!(health["Interval"], seconds * SECOND, "{name}: {health}");
        // What it may do where it runs: be this user, and write nowhere but where it was told.
        let id = container["Id"].as_str().unwrap();
        assert_eq!(docker(["exec", id, "id", "-u"]), user, "{name}");
        assert!(try_docker(["exec", id, "touch", "/usr/bin/x"]).is_err(), "{name} writes to its file system");
    }
    for container in containers {
        let (name, host) = (service_of(container), &container["HostConfig"]);
        is_hardened(container);
        assert_eq!((&host["Init"], &host["ReadonlyRootfs"]), (&json!(true), &json!(true)), "{name}");
        let user = container["Config"]["User"].as_str().unwrap().split(':').next().unwrap();
        assert!(user.parse::<u32>().unwrap() > 10_000, "{name} runs as {user}");
    }
}
