//! Production: its own env file, images, containers and volumes, in the same checkout as development.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::json;

use super::lifecycle::{all_are_healthy, files};
use super::stack::{PRODUCTION, Stack, tell};
use crate::support::*;

const BUILD: Duration = Duration::from_secs(600);

/// Development's database runs and holds something that only development may see.
pub(super) fn development_has_data(stack: &Stack) {
    stack.run(["setup", "--no-start", "--yes"]).limit(BUILD).end().ok();
    stack.run(["start", "db"]).end().ok();
    insert(stack, &[], "only_in_development");
}

fn insert(stack: &Stack, environment: &[&str], name: &str) {
    let sql = format!(
        "INSERT INTO users (username, email, password_hash, display_name) VALUES ('{name}', '{name}@example.org', '-', 'x')"
    );
    stack.sql(environment, &sql);
}

/// One command, from no env file to a healthy stack.
pub(super) fn set_up(stack: &Stack) {
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env.production (mode 0600)").shows(&stack.at("https", ""));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    all_are_healthy(stack, "production", &["backend", "db", "frontend", "nginx"]);
    let file = stack.project.path(".env.production");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    for key in ["DB_PASSWORD", "JWT_SECRET"] {
        let (here, there) = (stack.variable(".env.production", key), stack.variable(".env", key));
        assert!(here.len() >= 32 && here != there, "{key} is production's own");
        ended.never_says(&here);
    }
    stack.produce(["health"]).end().ok().shows("logs in to vrss");
    stack.produce(["env", "check"]).end().ok().shows("in order");
}

pub(super) fn second_setup_changes_nothing(stack: &Stack) {
    let before = (files(stack.project.dir()), stack.identity("production"));
    let ended = stack.produce(["setup", "--yes", "--json"]).end();
    assert_eq!(ended.ok().outcome()["changes"], json!([]), "{ended}");
    let after = (files(stack.project.dir()), stack.identity("production"));
    assert!(before.0 == after.0, "a file has changed");
    // The job that looks after the certificate may look again.
    let lasting = |all: &[String]| all.iter().filter(|line| !line.starts_with("certs ")).cloned().collect::<Vec<_>>();
    assert_eq!(lasting(&after.1), lasting(&before.1));
}

/// What was built runs without what built it.
pub(super) fn images_hold_no_tools(stack: &Stack) {
    let has = |service: &str, path: &str| {
        let id = stack.container("production", service)["Id"].as_str().unwrap().to_owned();
        try_docker(["exec", &id, "test", "-e", path]).is_ok()
    };
    assert!(has("backend", "/app/dist/index.js") && has("backend", "/app/node_modules/hono"));
    for absent in ["/app/src", "/app/tests", "/app/node_modules/typescript", "/app/node_modules/@biomejs"] {
        assert!(!has("backend", absent), "the backend holds {absent}");
    }
    assert!(has("frontend", "/usr/share/nginx/html/index.html"));
    assert!(!has("frontend", "/app"), "the frontend holds its sources");
}

/// Neither sees the other's data, and their volumes and networks are their own.
pub(super) fn shares_nothing_with_development(stack: &Stack) {
    insert(stack, &PRODUCTION, "only_in_production");
    let sql = "SELECT username FROM users WHERE username LIKE 'only\\_in%'";
    assert_eq!(stack.sql(&[], sql), ["only_in_development"]);
    assert_eq!(stack.sql(&PRODUCTION, sql), ["only_in_production"]);
    for kind in ["container", "network", "volume", "image"] {
        let (here, there) = (stack.objects("production", kind), stack.objects("development", kind));
        assert!(!here.is_empty() && !there.is_empty(), "{kind}: {here:?} {there:?}");
        assert!(here.iter().all(|name| !there.contains(name)), "{kind}: {here:?} {there:?}");
    }
    let demo = "SELECT count(*) FROM users WHERE password_hash = '!'";
    assert_eq!(stack.sql(&PRODUCTION, demo), ["0"], "seeds are for development");
}

/// `--yes` is not enough there; the name is, but for the data.
pub(super) fn clean_wants_the_name(stack: &Stack) {
    let before = stack.identity("production");
    let name = stack.compose_name("production");
    stack.produce(["clean", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    stack.produce(["clean", "--yes", "--confirm", stack.project.name()]).end().code(64).says("declined");
    stack.produce(["clean", "--all", "--confirm", &name]).end().code(77).says("backup");
    assert_eq!(stack.identity("production"), before, "nothing was touched");
    let volumes = stack.objects("production", "volume");
    stack.produce(["clean", "--confirm", &name]).end().ok();
    assert_eq!(stack.objects("production", "container"), [""; 0]);
    assert_eq!(stack.objects("production", "volume"), volumes, "data stays");
    stack.produce(["clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM users WHERE username = 'only_in_development'"), ["1"]);
}
