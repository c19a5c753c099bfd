//! `start` is over as soon as the containers' own checks pass, however rarely the engine runs them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::*;

/// Checks that the engine would first run after the test has ended.
const RARELY: &str = "interval: 600s, timeout: 10s";
const NEXT_CHECK: Duration = Duration::from_secs(600);

/// A service that runs a line of shell and has a check, with more keys.
fn service(name: &str, line: &str, check: &str, more: &str) -> String {
    format!(
        "  {name}: {{image: @image@, entrypoint: [sh, -c, \"{line}\"], init: true, stop_signal: SIGKILL, \
         healthcheck: {{test: {check}, {RARELY}}}{more}}}\n"
    )
}

fn sleeper(name: &str, more: &str) -> String {
    service(name, "sleep infinity", "[CMD, 'true']", more)
}

fn after(name: &str, condition: &str) -> String {
    format!(", depends_on: {{{name}: {{condition: {condition}}}}}")
}

fn project(services: &[String]) -> TestProject {
    TestProject::new().compose(&format!("services:\n{}", services.concat()))
}

/// What Compose sees of each container: its id, and when it was started.
fn containers(project: &TestProject) -> BTreeMap<String, String> {
    let format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
    let mut found = BTreeMap::new();
    for id in project.containers("") {
        let line = docker(["inspect", "--format", format, &id]);
        let (name, rest) = line.split_once(' ').unwrap();
        found.insert(name.to_owned(), rest.to_owned());
    }
    found
}

#[test]
fn f22_it_is_ready_long_before_the_engines_first_check() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        sleeper("web", &after("api", "service_healthy")),
        service(
            "api",
            "sleep 1; touch /tmp/up; sleep infinity",
            "[CMD, test, -e, /tmp/up]",
            &after("store", "service_healthy"),
        ),
        sleeper("store", ""),
    ]);
    let ended = project.xtask(["start", "--json"]).end();
    ended.ok();
    assert!(ended.took < NEXT_CHECK / 4, "{ended}");
    let outcome = ended.outcome();
    for service in outcome["services"].as_array().unwrap() {
        assert_eq!(service["ready_by"], "check", "{outcome}");
    }
    let started = |service: &str| docker(["inspect", "--format", "{{.State.StartedAt}}", &project.container(service)]);
    assert!(started("store") < started("api") && started("api") < started("web"));

    // What follows agrees: the containers are healthy, and Compose has nothing to do.
    project.xtask(["health"]).end().ok().shows("answers its check");
    let rows = project.xtask(["ps", "--json"]).end().ok().outcome();
    assert!(rows["services"].as_array().unwrap().iter().all(|row| row["state"] == "healthy"), "{rows}");
    let before = containers(&project);
    let file = project.path("compose.yml");
    // A plain `up -d` would wait for the engine's checks.
    docker(["compose", "-p", project.name(), "-f", file.to_str().unwrap(), "up", "--no-start"]);
    assert_eq!(containers(&project), before, "nothing was created again");

    let ended = project.xtask(["restart"]).end();
    assert!(ended.ok().took < NEXT_CHECK / 4, "{ended}");
    let ended = project.xtask(["scale", "web=3"]).end();
    assert!(ended.ok().took < NEXT_CHECK / 4, "{ended}");
    assert_eq!(project.containers("web").len(), 3);
}

#[test]
fn f23_what_passes_and_ends_at_once_is_not_ready() {
    let Some(_engine) = engine() else { return };
    for more in [", restart: always", ""] {
        let project = project(&[service("web", "sleep 1; exit 7", "[CMD, 'true']", more)]);
        let ended = project.xtask(["start"]).end();
        ended.code(2).shows("web: ").never_says("ready after");
    }
}

#[test]
fn f24_a_temporary_server_does_not_count() {
    let Some(_engine) = engine() else { return };
    // The image's own server answers for three seconds, and ends again before the real one starts.
    let project =
        TestProject::new().file("init/slow.sql", "SELECT pg_sleep(3); CREATE TABLE first (id int);\n").compose(
            "services:\n  db: {image: 'postgres:16-alpine', environment: {POSTGRES_PASSWORD: a-slow-start-1}, \
             volumes: ['./init:/docker-entrypoint-initdb.d:ro'], \
             healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 600s}}\n  \
             app: {image: 'postgres:16-alpine', environment: {PGPASSWORD: a-slow-start-1}, \
             entrypoint: [psql, -h, db, -U, postgres, -c, 'SELECT * FROM first'], \
             depends_on: {db: {condition: service_healthy}}}\n",
        );
    let ended = project.xtask(["start"]).end();
    assert!(ended.ok().took < NEXT_CHECK / 4, "{ended}");
    assert_eq!(project.state("app"), "exited");
}

#[test]
fn f25_an_optional_dependency_may_fail() {
    let Some(_engine) = engine() else { return };
    let needs = ", depends_on: {bad: {condition: service_healthy, required: false}}";
    let project = project(&[service("bad", "exit 3", "[CMD, 'true']", ""), sleeper("web", needs)]);
    project.xtask(["start"]).end().ok().says("the optional dependency `bad` is not ready");
    assert_eq!(project.state("web"), "running");
}

#[test]
fn f26_waiting_for_a_check_that_does_not_exist_is_an_error_before_the_start() {
    let Some(_engine) = engine() else { return };
    let store = "  store: {image: @image@, entrypoint: [sleep, infinity], init: true}\n".to_owned();
    let project = project(&[store, sleeper("web", &after("store", "service_healthy"))]);
    let ended = project.xtask(["start"]).end();
    ended
        .code(78)
        .says("`web` waits until `store` is healthy, but `store` has no health check")
        .says("hint: add `healthcheck:`");
    assert_eq!((project.state("store"), project.state("web")), ("created".into(), "created".into()));
}

#[test]
fn f27_dependents_of_what_fails_are_not_started() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        service("job", "echo the reason; exit 4", "[CMD, 'true']", ""),
        sleeper("api", &after("job", "service_completed_successfully")),
        sleeper("web", &after("api", "service_healthy")),
    ]);
    project.xtask(["start"]).end().code(2).shows("job: exited (4)").shows("| the reason").never_says("api: ");
    assert_eq!((project.state("api"), project.state("web")), ("created".into(), "created".into()));
}

#[test]
fn f28_a_check_that_hangs_or_cannot_run_is_left_to_the_engine() {
    let Some(_engine) = engine() else { return };
    let check = "{test: [CMD, sleep, '4711'], interval: 600s, timeout: 1s}";
    let hangs = project(&[format!(
        "  web: {{image: @image@, entrypoint: [sleep, infinity], init: true, healthcheck: {check}}}\n"
    )]);
    let ended = hangs.xtask(["start", "--timeout", "6s"]).end();
    ended.code(75).shows("web: its check does not end");
    let processes = docker(["top", &hangs.container("web"), "-o", "pid,args"]);
    assert!(processes.matches("sleep 4711").count() <= 1, "one at most is left: {processes}");

    let missing = project(&[service("web", "sleep infinity", "[CMD, no-such-program]", "")]);
    let ended = missing.xtask(["start", "--timeout", "4s"]).end();
    ended.code(75).shows("web: its check cannot run: ").shows("no-such-program");
}

#[test]
fn f29_the_engine_alone_checks_where_infra_toml_says_so() {
    let Some(_engine) = engine() else { return };
    let line = "healthcheck: {test: [CMD-SHELL, 'echo x >> /tmp/runs'], interval: 2s}";
    let project = project(&[format!("  web: {{image: @image@, entrypoint: [sleep, infinity], init: true, {line}}}\n")])
        .file("infra.toml", "[start]\nchecks = \"engine\"\n");
    let ended = project.xtask(["start", "--json"]).end();
    ended.ok();
    assert_eq!(ended.outcome()["services"][0]["ready_by"], "engine", "{ended}");
    // A dry run asks nothing.
    let before = containers(&project);
    project.xtask(["start", "--dry-run", "-v"]).end().ok().shows("docker start ").never_says("docker exec");
    assert_eq!(containers(&project), before);
}
