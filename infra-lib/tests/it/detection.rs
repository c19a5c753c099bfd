//! What is recognised in compose files of other projects.

use std::net::TcpListener;

use crate::support::*;

/// The database that `describe` finds: place, name and user.
#[track_caller]
fn database(project: &TestProject) -> String {
    let described = project.xtask(["describe", "--json"]).end().ok().outcome();
    let text = |key: &str| described["database"][key].as_str().unwrap_or_default().to_owned();
    format!("{} {} {}", text("place"), text("name"), text("user"))
}

#[test]
fn p17_a_database_is_found_by_its_image_its_base_and_its_variables() {
    let Some(_compose) = compose() else { return };
    let own = "build: ./pg, environment: {POSTGRES_USER: u, POSTGRES_PASSWORD: p, POSTGRES_DB: d}";
    let bitnami = "image: 'bitnami/postgresql:16', environment: {POSTGRESQL_USERNAME: u, POSTGRESQL_PASSWORD: p, POSTGRESQL_DATABASE: d}";
    let options = "image: 'postgres:16', command: [-c, fsync=off], environment: {POSTGRES_USER: u, POSTGRES_DB: d}";
    let timescale = "image: 'timescale/timescaledb-ha:pg16', environment: {POSTGRES_USER: u, POSTGRES_DB: d}, volumes: ['x:/home/postgres/pgdata']";
    for service in [own, bitnami, options, timescale] {
        let text = format!("services: {{sql: {{{service}}}, api: {{image: api}}}}\nvolumes: {{x: {{}}}}\n");
        let project = TestProject::new().compose(&text).file("pg/Dockerfile", "FROM postgres:16\nCOPY a /b\n");
        assert_eq!(database(&project), "service sql d u", "{service}");
    }
}

#[test]
fn p17_a_secret_may_come_from_a_variable() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "services:{}\nsecrets: {{pw: {{environment: DB_PASSWORD}}}}\n",
            DATABASE.replace(
                "{POSTGRES_PASSWORD: fixture-password}",
                "{POSTGRES_PASSWORD_FILE: /run/secrets/pw}\n    secrets: [pw]"
            )
        ))
        .file(".env", "DB_PASSWORD=from-a-variable\n");
    project.xtask(["start"]).end().ok();
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
}

#[test]
fn p17_the_ports_of_a_service_on_the_hosts_network_are_checked() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    let port = project.port("web");
    let text = format!("services: {{web: {{{SLEEPS}, network_mode: host, expose: ['{port}']}}}}\n");
    project.write("compose.yml", &text);
    let _holder = TcpListener::bind(("0.0.0.0", port)).unwrap();
    project.xtask(["start"]).end().code(1).says(&format!("port {port} of service `web` is taken"));
}

#[test]
fn p17_a_build_context_that_is_missing_is_found_before_the_build() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose("services: {web: {build: ./web}}\n");
    for command in ["doctor", "setup"] {
        let ended = project.xtask([command]).end();
        assert_ne!(ended.exit, 0, "{ended}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains("build context"), "{ended}");
    }
    project.write("web/x", "");
    project.xtask(["doctor"]).end().code(2).shows("Dockerfile").shows("does not exist");
}
