//! The two networks: who is where, and that the internal one reaches nothing outside of it.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::*;

pub(super) fn the_internal_one_reaches_nothing(stack: &Stack, environment: &str) {
    let network = |name: &str| -> Value {
        let name = format!("{}_{name}", stack.compose_name(environment));
        serde_json::from_str(&docker(["network", "inspect", "--format", "{{json .}}", &name])).unwrap()
    };
    let template = if environment == "production" { ".env.production" } else { ".env" };
    let (public, internal) = (network("frontend"), network("backend"));
    assert_eq!(public["IPAM"]["Config"][0]["Subnet"], stack.variable(template, "FRONTEND_SUBNET"));
    assert_eq!(internal["IPAM"]["Config"][0]["Subnet"], stack.variable(template, "BACKEND_SUBNET"));
    assert_eq!((&public["Internal"], &internal["Internal"]), (&false.into(), &true.into()));

    // Something outside: a port of this machine, at its address in the public network.
    let port = stack.project.port("outside");
    let _listener = TcpListener::bind(("0.0.0.0", port)).unwrap();
    let gateway = stack.variable(template, "FRONTEND_SUBNET").replace(".0/24", ".1");
    let connects = |service: &str, host: &str, port: u16| {
        let id = stack.container(environment, service)["Id"].as_str().unwrap().to_owned();
        try_docker(["exec", &id, "nc", "-z", "-w", "3", host, &port.to_string()]).is_ok()
    };
    assert!(connects("backend", &gateway, port), "the backend reaches what is outside");
    for service in ["postgres", "redis"] {
        assert!(!connects(service, &gateway, port), "{service} reaches what is outside");
        assert!(!connects(service, "frontend", 8080), "{service} reaches the public network");
        let id = stack.container(environment, service)["Id"].as_str().unwrap().to_owned();
        let routes = docker(["exec", &id, "cat", "/proc/net/route"]);
        let default = routes.lines().skip(1).filter(|line| line.split_whitespace().nth(1) == Some("00000000"));
        assert_eq!(default.count(), 0, "{service} has a way out: {routes}");
    }
    assert!(connects("backend", "postgres", 5432) && connects("backend", "redis", 6379));
    for service in ["nginx", "frontend"] {
        assert!(!connects(service, "postgres", 5432), "{service} reaches the database");
    }
    assert!(connects("nginx", "backend", 3000), "nginx reaches the backend");
}
