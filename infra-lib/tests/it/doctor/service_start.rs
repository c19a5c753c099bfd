//! Services that do not start.

use super::*;

#[test]
fn service_wont_start_port_conflict() {
    let (Some(_engine), Some(_ss)) = (engine(), tool("ss")) else { return };
    let project = TestProject::new()
        .compose("services: {web: {image: @image@, ports: ['127.0.0.1:${WEB_PORT:-@port:web@}:80']}}\n");
    let _listener = TcpListener::bind(("127.0.0.1", project.port("web"))).unwrap();
    let holder = format!("process {}", std::process::id());
    doctor(&project).fails().names("port", "web", &holder, "WEB_PORT=");
}

#[test]
fn service_wont_start_port_conflict_inside() {
    ailment("Error: listen EADDRINUSE: address already in use :::3000", "port conflict", "another port");
}

#[test]
fn service_wont_start_database_not_ready() {
    ailment("Error: FATAL:  the database system is starting up", "database not ready", "condition: service_healthy");
}

#[test]
fn service_wont_start_missing_environment_variable() {
    ailment("Error: JWT_SECRET is not set", "missing environment variable", "env check");
}

#[test]
fn service_wont_start_missing_environment_variable_in_the_compose_file() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {web: {image: @image@, environment: {A: '$NO_SUCH_VARIABLE'}}}\n");
    doctor(&project).fails().names(
        "compose",
        "NO_SUCH_VARIABLE",
        "missing environment variable",
        "${NO_SUCH_VARIABLE:-}",
    );
}

#[test]
fn service_wont_start_syntax_error() {
    ailment("file:///app/src/index.ts:3\nSyntaxError: Unexpected token '}'", "syntax error", "git diff");
}

#[test]
fn service_wont_start_syntax_error_in_the_compose_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@, prots: [80]}}\n");
    let diagnosis = doctor(&project);
    let name = project.name().to_owned();
    diagnosis.fails().names("project", &name, "prots", "docker compose config");
}

// Hot reload not working.

#[test]
fn container_exits_immediately_dependency_issues() {
    ailment("Error: Cannot find module 'express'", "a dependency of it is missing", "cargo xtask build app");
}

#[test]
fn f07_crash_loop() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, restart: always, entrypoint: [sh, -c, 'echo \"KeyError: DATABASE_URL\"; echo \"A must be set\"; exit 3']}}\n",
    );
    up(&project);
    wait_until("web was restarted", Duration::from_secs(20), || {
        let count = docker(["inspect", "--format", "{{.RestartCount}}", &project.container("web")]);
        if count == "0" { Err(count) } else { Ok(()) }
    });
    doctor(&project).fails().names("service", "web", "A must be set", "env check");
}

#[test]
fn f11_paused() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\n");
    up(&project);
    pause(&project.container("web"));
    let diagnosis = doctor(&project);
    docker(["unpause", &project.container("web")]);
    diagnosis.fails().names("service", "web", "paused", "docker unpause");
}

#[test]
fn f15_a_container_name_of_another_project() {
    let Some(_engine) = engine() else { return };
    let text = |name: &str| {
        format!(
            "services: {{web: {{image: @image@, container_name: {name}, entrypoint: [sleep, infinity], init: true}}}}\n"
        )
    };
    let other = TestProject::new().compose(&text("@name@-fixed"));
    up(&other);
    let fixed = format!("{}-fixed", other.name());
    let project = TestProject::new().compose(&text(&fixed));
    doctor(&project).fails().names("name", "web", &format!("project {}", other.name()), "container_name");
}
