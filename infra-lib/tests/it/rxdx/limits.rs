//! What Docker enforces: resources, users, rights, log files, the timing of health checks; and the server's settings.

use serde_json::Value;

use crate::support::*;

/// Processors in hundredths, memory and its reservation in MiB, user.
struct Expected(&'static str, u64, u64, u64, &'static str);

const DEVELOPMENT: [Expected; 4] = [
    Expected("postgres", 200, 2048, 512, "999:999"),
    Expected("backend", 200, 2048, 512, "1000:1000"),
    Expected("frontend", 100, 1024, 128, "1000:1000"),
    Expected("nginx", 50, 128, 32, "101:101"),
];

const PRODUCTION: [Expected; 4] = [
    Expected("postgres", 200, 2048, 512, "999:999"),
    Expected("backend", 200, 2048, 512, "1000:1000"),
    Expected("frontend", 50, 128, 32, "101:101"),
    Expected("nginx", 50, 128, 32, "101:101"),
];

pub(super) fn of_development(stack: &Stack) {
    let containers = stack.containers("development");
    check(&containers, &DEVELOPMENT);
    let ports: Vec<(&str, &str)> = containers.iter().flat_map(published).collect();
    for port in ["8000/tcp", "3000/tcp", "5432/tcp", "80/tcp", "443/tcp"] {
        assert!(ports.contains(&(port, "127.0.0.1")), "{port} for this machine alone: {ports:?}");
    }
    assert!(stack.objects("development", "volume").iter().any(|name| name.ends_with("_postgres_data")));
}

/// Nothing is published but nginx, the database least of all; nothing is written outside of volumes.
pub(super) fn of_production(stack: &Stack) {
    let containers = stack.containers("production");
    check(&containers, &PRODUCTION);
    for container in &containers {
        let name = service_of(container);
        assert_eq!(container["HostConfig"]["ReadonlyRootfs"], true, "{name} writes to its own file system");
        let ports: Vec<&str> = published(container).into_iter().map(|(port, _)| port).collect();
        let expected: &[&str] = if name == "nginx" { &["443/tcp", "80/tcp"] } else { &[] };
        assert_eq!(ports, expected, "ports of {name}");
        let mounts = container["Mounts"].as_array().unwrap();
        let bound: Vec<&str> =
            mounts.iter().filter(|mount| mount["Type"] == "bind").map(|it| it["Source"].as_str().unwrap()).collect();
        let settings = |path: &&str| path.contains("/nginx") || path.ends_with("/backend/db/init");
        assert!(bound.iter().all(settings), "{name} mounts sources: {bound:?}");
        writes_into_no_checkout(container);
    }
    // The database is in a network without a way out, in which there is only the back end beside it.
    let networks = |name: &str| {
        let container = stack.container("production", name);
        container["NetworkSettings"]["Networks"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let name = |network: &str| format!("{}_{network}", stack.compose_name("production"));
    assert_eq!(networks("postgres"), [name("rxdx-data")]);
    assert_eq!(networks("backend"), [name("rxdx-data"), name("rxdx-network")]);
    assert_eq!(networks("nginx"), [name("rxdx-network")]);
    assert_eq!(docker(["network", "inspect", "--format", "{{.Internal}}", &name("rxdx-data")]), "true");
    let volumes = stack.objects("production", "volume");
    assert!(volumes.contains(&name("postgres_data_prod")) && !volumes.contains(&name("postgres_data")), "{volumes:?}");
}

fn check(containers: &[Value], expected: &[Expected]) {
    for &Expected(name, cpus, memory, reserved, user) in expected {
        let container = Confined { service: name, memory, cpus, user }.container(containers);
        assert_eq!(container["HostConfig"]["MemoryReservation"], reserved * MB, "{name}");
        let health = &container["Config"]["Healthcheck"];
        let timing: Vec<u64> =
            ["Interval", "Timeout", "StartPeriod", "Retries"].map(|key| health[key].as_u64().unwrap()).into();
        assert_eq!(timing, [30 * SECOND, 10 * SECOND, 40 * SECOND, 3], "{name}: {health}");
    }
    containers.iter().for_each(is_hardened);
}

pub(super) fn settings_are_the_tuned_ones(stack: &Stack) {
    let settings = [
        ("max_connections", "200"),
        ("shared_buffers", "512MB"),
        ("effective_cache_size", "2GB"),
        ("maintenance_work_mem", "128MB"),
        ("checkpoint_completion_target", "0.9"),
        ("wal_buffers", "16MB"),
        ("default_statistics_target", "100"),
        ("shared_preload_libraries", "age"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
    ];
    let shows: Vec<String> = settings.iter().map(|(name, _)| format!("SHOW {name}")).collect();
    let words = shows.iter().flat_map(|show| ["-c", show.as_str()]);
    let ended = stack.project.xtask(["db-shell"].into_iter().chain(words).chain(["--", "-tA"])).end();
    let found: Vec<(&str, &str)> = settings.iter().map(|(name, _)| *name).zip(ended.ok().stdout.lines()).collect();
    assert_eq!(found, settings);
}
