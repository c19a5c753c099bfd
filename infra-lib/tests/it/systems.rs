//! All systems below `docker/` at once on one engine: as a developer has them who works on several.

use crate::support::*;

/// The subnets that a system's files state, which would meet those of other tests: file, variable, and what is put there.
type Subnets = &'static [(&'static str, &'static str, &'static str)];

const SYSTEMS: [(&str, Subnets); 5] = [
    ("vrss", &[]),
    (
        "thrifting-buddy",
        &[(".env.example", "FRONTEND_SUBNET", "10.213.1.0/24"), (".env.example", "BACKEND_SUBNET", "10.213.2.0/24")],
    ),
    ("isntgram", &[]),
    ("pagodirecto", &[(".env.development.example", "NETWORK_SUBNET", "10.213.3.0/24")]),
    ("rxdx", &[]),
];

const IMAGES: [&str; 12] = [
    "postgres:16-alpine",
    "postgres:15-alpine",
    "apache/age:release_PG17_1.6.0",
    "oven/bun:1.1-alpine",
    "node:20-alpine",
    "nginx:alpine",
    "redis:7-alpine",
    "caddy:2-alpine",
    "adminer:4",
    "python:3.13-slim",
    "eclipse-temurin:17-jdk-alpine",
    "eclipse-temurin:17-jre-alpine",
];

/// Ports are left as they are in the files: whoever comes second is given others by `setup`.
#[test]
fn all_systems_live_side_by_side_and_each_is_cleaned_alone() {
    // So many containers at once let the health checks of other tests time out.
    if !is_swept() || !stack_can_run(&IMAGES) {
        return;
    }
    let stacks: Vec<(&str, Stack)> = SYSTEMS.iter().map(|(system, subnets)| (*system, copy(system, subnets))).collect();
    for (system, stack) in &stacks {
        part(system, || _ = stack.run(["setup", "--yes"]).limit(BUILD).end().ok());
    }
    for (system, stack) in &stacks {
        let ended = stack.run(["health", "--wait=180", "--only", "container,http,postgres"]).limit(BUILD).end();
        assert_eq!(ended.exit, 0, "{system} beside the others: {ended}");
    }
    let mut left: Vec<_> = stacks.iter().collect();
    while let Some((system, stack)) = left.pop() {
        let before: Vec<_> = left.iter().map(|(_, other)| other.identity("development")).collect();
        stack.run(["clean", "--all", "--yes"]).end().ok();
        for kind in ["container", "volume", "network", "image"] {
            assert_eq!(stack.objects("development", kind), [""; 0], "{system} is gone");
        }
        let after: Vec<_> = left.iter().map(|(_, other)| other.identity("development")).collect();
        assert_eq!(before, after, "the others have not noticed that {system} is gone");
    }
}

fn copy(system: &str, subnets: Subnets) -> Stack {
    subnets.iter().fold(Stack::of(system), |stack, (file, key, value)| stack.set(file, key, value))
}
