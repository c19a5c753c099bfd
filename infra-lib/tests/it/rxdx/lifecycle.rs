//! From `setup` to `clean`, in development.

use std::os::unix::fs::PermissionsExt as _;

use super::SERVICES;
use crate::support::*;

/// The env file of an environment: for its owner alone, and its secrets are strong and never printed.
#[track_caller]
pub(super) fn has_own_secrets(stack: &Stack, file: &str, printed: &Ended) {
    let mode = std::fs::metadata(stack.project.path(file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{file}");
    let (password, key) = (stack.variable(file, "POSTGRES_PASSWORD"), stack.variable(file, "SECRET_KEY"));
    assert!(password.len() >= 32 && key.len() == 64, "{file}");
    assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()), "as `openssl rand -hex 32` makes one");
    printed.never_says(&password).never_says(&key);
}

pub(super) fn set_up(stack: &Stack) {
    let ended = stack.run(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env (mode 0600)").shows("write .env.development (mode 0600)").shows("ready after");
    ended.shows(&stack.at("frontend", "")).shows(&stack.at("backend", "")).shows(&stack.at("https", ""));
    tell(&format!("setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &SERVICES);
    has_own_secrets(stack, ".env.development", &ended);
    stack.run(["env", "check"]).end().ok().shows("no problems in the env files");
    stack.run(["db-migrate", "status"]).end().ok().shows("m0002_node_keys: applied");
}

/// The commands that only look.
pub(super) fn shows_itself(stack: &Stack) {
    stack
        .run(["health", "--wait=180"])
        .limit(BUILD)
        .end()
        .ok()
        .shows("rxdx logs in to rxdx")
        .shows("backend -> postgres")
        .shows("healthy: ");
    stack.run(["doctor"]).end().ok().never_says("FAIL");
    stack.run(["describe"]).end().ok().shows(&stack.at("https", "")).shows("(service postgres)");
    stack.run(["describe", "--addresses"]).end().ok().shows("postgres");
    stack.run(["logs", "--tail", "200", "backend"]).end().ok().shows("ready to serve development");
    stack.run(["logs-postgres"]).end().ok().shows("database system is ready to accept connections");
    stack.run(["stats"]).end().ok().shows("postgres");
    stack.run(["df"]).end().ok().shows("postgres_data").shows("attachments");
    stack.run(["exec", "backend", "--", "id", "-u"]).end().ok().shows("1000");
    stack.run(["shell", "backend"]).pty([("$", "python --version\n"), ("Python 3.13", "exit\n")]).end().ok();
    let graphs = stack.sql(&[], "SELECT name FROM ag_catalog.ag_graph");
    assert_eq!(graphs, ["traceability"]);
    stack.run(["tasks"]).end().ok().shows("test");
    let tests = stack.run(["test"]).end();
    assert!(tests.ok().stderr.contains("Ran 6 tests") && tests.stderr.contains("OK"), "{tests}");
    stack.run(["schedule", "print"]).end().ok().shows("db-backup");
    stack.run(["update", "--dry-run"]).end().ok().says("looking for a newer apache/age");
    stack.run(["policy"]).end().ok().shows("0 errors");
    stack.run(["history"]).end().ok().shows("setup");
}

pub(super) fn stops_and_starts(stack: &Stack) {
    stack.stops_and_starts();
    stack.run(["restart", "backend", "nginx"]).end().ok().shows("ready after");
    stack.are_healthy("development", &SERVICES);
}

/// A rebuild of what has not changed is nothing; a published port is in the way of more containers.
pub(super) fn builds_and_will_not_scale(stack: &Stack) {
    let before = stack.lasting("development");
    stack.run(["build", "backend"]).limit(BUILD).end().ok();
    stack.run(["scale", "backend=4"]).end().code(78).says("publishes port");
    stack.run(["scale", "postgres=2"]).end().code(77).says("destroy it");
    assert_eq!(stack.lasting("development"), before);
}

pub(super) fn cleans_up(stack: &Stack) {
    stack.run(["clean", "--all"]).no_tty().end().code(64);
    stack.run(["clean", "--all", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("development", kind), [""; 0], "{kind}s are left");
    }
    assert!(stack.project.path(".env.development").exists() && stack.project.path("backups/latest").exists());
}
