//! `doctor`: one test per row of the documents' troubleshooting tables, named after the row, and the rows of E, F, G and S
//! of the fault table that it can see. Each ailment is made for real, and its cure must be named.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;

use crate::support::*;

mod database;
mod machine;
mod resources;
mod service_start;

/// What `doctor` found.
#[derive(Debug)]
struct Diagnosis(Ended);

impl Diagnosis {
    /// The check of this kind and target that has something to say.
    #[track_caller]
    fn names(&self, kind: &str, target: &str, detail: &str, cure: &str) -> &Self {
        let checks = self.0.outcome()["checks"].take();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        let found = checks.as_array().unwrap().iter().any(|check| {
            check["kind"] == kind
                && check["target"] == target
                && (check["status"] == "fail" || check["status"] == "warn")
                && text(check, "detail").contains(detail)
                && text(check, "hint").contains(cure)
        });
        assert!(found, "no check {kind} {target} with {detail:?} and the cure {cure:?}:\n{checks:#}");
        self.never_prunes()
    }

    #[track_caller]
    fn never_prunes(&self) -> &Self {
        self.0.never_says("prune");
        self
    }

    /// Fails unless something is broken.
    #[track_caller]
    fn fails(&self) -> &Self {
        self.0.code(2);
        self
    }
}

#[track_caller]
fn doctor(project: &TestProject) -> Diagnosis {
    Diagnosis(project.xtask(["doctor", "--json"]).end())
}

/// Starts the stack as it is, however ill, and gives it time to fall over.
fn up(project: &TestProject) {
    let file = project.path("compose.yml");
    let args = ["compose", "-p", project.name(), "-f", file.to_str().unwrap(), "up", "-d", "--quiet-pull"];
    // That a service ends is what is wanted here.
    let _ = try_docker(args);
}

/// A project whose service `app` says this and ends.
fn ends_with(last_words: &str) -> TestProject {
    let project = TestProject::new()
        .file("app.sh", &format!("cat <<'END' >&2\nstarting\n{last_words}\nEND\nexit 1\n"))
        .compose("services:\n  app: {image: @image@, entrypoint: [sh, /app.sh], volumes: ['./app.sh:/app.sh:ro']}\n");
    up(&project);
    wait_until("app ends", Duration::from_secs(20), || match project.state("app").as_str() {
        "exited" => Ok(()),
        state => Err(state.to_owned()),
    });
    project
}

#[track_caller]
fn ailment(last_words: &str, cause: &str, cure: &str) {
    let Some(_engine) = engine() else { return };
    let project = ends_with(last_words);
    doctor(&project).fails().names("service", "app", cause, cure);
}

// Service won't start.

/// A project with a service that is built for development, with these mounts and this command.
fn frontend(more: &str) -> TestProject {
    TestProject::new().file("web/src/index.js", "").file("web/Dockerfile", "FROM @image@ AS development\n").compose(
        &format!(
            "services: {{web: {{image: @image@, init: true, build: {{context: ./web, target: development}}{more}}}}}\n"
        ),
    )
}

#[test]
fn hot_reload_not_working_watch_flag_missing() {
    let Some(_engine) = engine() else { return };
    // What runs is called node and is told to run a source, without a flag.
    let project = frontend(", volumes: ['./web/src:/app/src'], entrypoint: [bash, -c, 'exec -a node sleep infinity']");
    up(&project);
    doctor(&project).names("reload", "web", "watch flag missing", "--watch");
}

#[test]
fn hot_reload_not_working_source_not_mounted() {
    let Some(_engine) = engine() else { return };
    doctor(&frontend("")).names("reload", "web", "source not mounted", "volumes:");
}

#[test]
fn hot_reload_not_working_too_few_watches() {
    ailment(
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'",
        "hot reload",
        "fs.inotify.max_user_watches=524288",
    );
}

// Database connection errors.

#[test]
fn cannot_connect_to_backend_verify_cors_origins() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services:\n  api: {image: @image@, environment: {CORS_ORIGINS: 'http://localhost:5173'}}\n  \
         frontend: {image: @image@, ports: ['127.0.0.1:@port:page@:5173']}\n",
    );
    let page = format!("http://localhost:{}", project.port("page"));
    doctor(&project).names("cors", "api", "none of this stack's pages", &page);
}

#[test]
fn cannot_connect_to_backend_check_if_backend_is_running() {
    ailment(
        "nginx: [emerg] host not found in upstream \"backend\" in /etc/nginx/conf.d/default.conf:3",
        "passes requests to",
        "depends_on",
    );
}

#[test]
fn redis_connection_failed() {
    ailment("Error: connect ECONNREFUSED 172.20.0.3:6379", "Redis does not accept it", "REDIS_URL");
}

#[test]
fn what_is_well_is_said_to_be() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true, logging: {driver: json-file, options: {max-size: 1m}}}}\n",
    );
    project.xtask(["start"]).end().ok();
    let ended = project.xtask(["doctor"]).end();
    ended.ok().shows("ok    service web: running").never_says("FAIL");
    // Looking changes nothing, and leaves nothing behind.
    assert_eq!(project.state("web"), "running");
    assert!(survivors(&ended.mark).is_empty());
}
