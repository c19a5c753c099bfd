//! From `setup` to `clean`, in development.

use super::api;
use crate::support::*;

pub(super) const SERVICES: [&str; 5] = ["backend", "frontend", "nginx", "postgres", "redis"];

pub(super) fn set_up(stack: &Stack) {
    let ended = stack.run(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env (mode 0600)").shows("new secrets: POSTGRES_PASSWORD, REDIS_PASSWORD");
    ended.shows("write backend/.env (mode 0600)").shows("new secrets: JWT_ACCESS_SECRET, JWT_REFRESH_SECRET");
    ended.shows("ready after").shows(&stack.at("page", "")).shows(&stack.at("backend", ""));
    tell(&format!("setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &SERVICES);
    for (file, key) in [(".env", "POSTGRES_PASSWORD"), ("backend/.env", "JWT_ACCESS_SECRET")] {
        ended.never_says(&stack.variable(file, key));
    }
    // Migrated and seeded, by the backend's own tool and by ours.
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM items"), ["2"]);
}

/// The commands that only look.
pub(super) fn shows_itself(stack: &Stack) {
    let health = stack.run(["health"]).end();
    health.ok().shows("logs in to thrifting_buddy").shows("answers PING").shows("redis:6379 accepts connections");
    stack.run(["health", "--only", "redis"]).end().ok().shows("1 ok");
    stack.run(["describe"]).end().ok().shows("(service postgres)").shows("_backend (internal, ");
    stack.run(["doctor"]).end().ok().never_says("FAIL");
    stack.run(["logs", "--tail", "200"]).end().ok().shows("listening").shows("ready to accept connections");
    stack.run(["logs-redis", "--tail", "50"]).end().ok().shows("Ready to accept connections");
    stack.run(["stats"]).end().ok().shows("backend").shows("redis");
    stack.run(["df"]).end().ok().shows("redis_data");
    stack.run(["exec", "backend", "--", "node", "--version"]).end().ok().shows("v20.");
    stack.run(["shell", "backend"]).input("id -u\n").end().ok().shows("10072");
    stack.run(["db-shell", "-c", "SHOW server_version"]).end().ok().shows("15.");
    stack.run(["schedule", "print"]).end().ok().shows("db-backup");
    stack.run(["tasks"]).end().ok().shows("npm test");
    stack.run(["test"]).end().ok().shows("# fail 0");
    stack.run(["build", "frontend"]).limit(BUILD).end().ok();
    stack.run(["history"]).end().ok().shows("setup");
}

/// A session is in redis alone, and is still there after both of its processes were replaced.
pub(super) fn keeps_sessions(stack: &Stack) {
    let base = stack.at("page", "");
    let token = api::register(&base, "keeper@example.org");
    stack.run(["restart", "redis", "backend"]).end().ok().shows("ready after");
    assert_eq!(api::adds_an_item(&base, &token, "a lamp that lasts"), 201, "the session has survived");
    // Nothing but the volume holds it.
    let redis = stack.container("development", "redis");
    docker(["exec", redis["Id"].as_str().unwrap(), "redis-cli", "FLUSHALL"]);
    assert_eq!(api::adds_an_item(&base, &token, "a lamp too late"), 401);
    // Without the password there is nothing to see.
    let ended = try_docker(["exec", "-e", "REDISCLI_AUTH=", redis["Id"].as_str().unwrap(), "redis-cli", "KEYS", "*"]);
    assert!(ended.is_err() || ended.is_ok_and(|text| text.contains("NOAUTH")), "redis wants its password");
}

pub(super) fn stops_and_starts(stack: &Stack) {
    stack.stops_and_starts();
    stack.are_healthy("development", &SERVICES);
    // Where no registry can be asked, nothing is changed, and that is said.
    let before = stack.identity("development");
    let ended = stack.run(["update"]).limit(BUILD).end();
    assert!([0, 69].contains(&ended.exit), "{ended}");
    assert_eq!(stack.identity("development"), before, "containers change with the next start");
}

/// Everything goes, without a question more, and nothing else.
pub(super) fn cleans_up(stack: &Stack) {
    stack.run(["clean", "--all"]).no_tty().end().code(64);
    stack.run(["clean", "--all", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("development", kind), [""; 0], "{kind}s are left");
    }
    assert!(stack.project.path("backend/.env").exists() && stack.project.path("backups/latest").exists(), "files stay");
}
