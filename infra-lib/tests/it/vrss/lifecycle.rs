//! From `setup` to `clean`, in development.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::schema::TABLES;
use super::stack::Stack;
use crate::support::*;

/// Sets a fresh copy up; the port that the database could not have.
pub(super) fn set_up(stack: &Stack) -> u16 {
    let ended = stack.run(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("new secrets: DB_PASSWORD, JWT_SECRET").shows("ready after").shows("DB_PORT_PUBLISHED");
    ended.shows(&stack.at("frontend", "")).shows(&stack.at("backend", ""));
    tell(&format!("setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &["backend", "db", "frontend"]);
    let env = stack.project.path(".env");
    assert_eq!(std::fs::metadata(env).unwrap().permissions().mode() & 0o777, 0o600);
    let (password, jwt) = (stack.variable(".env", "DB_PASSWORD"), stack.variable(".env", "JWT_SECRET"));
    assert!(password.len() >= 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert!(jwt.len() == 128 && jwt.bytes().all(|byte| byte.is_ascii_hexdigit()), "64 bytes, hexadecimal");
    ended.never_says(&password).never_says(&jwt);
    stack.run(["env", "check"]).end().ok().shows("no problems in the env files");
    stack.taken_port()
}

/// The commands that only look.
pub(super) fn shows_itself(stack: &Stack) {
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok().shows("logs in to vrss").shows("healthy: ");
    stack.run(["describe"]).end().ok().shows(&stack.at("frontend", "")).shows("(service db)");
    stack.run(["logs", "backend"]).end().ok().shows("listening");
    stack.run(["logs-db", "--tail", "500"]).end().ok().shows("database system is ready to accept connections");
    stack.run(["doctor"]).end().ok().never_says("FAIL");
    stack.run(["db-shell", "-c", "select 1"]).end().ok().shows("(1 row)");
    stack.run(["exec", "backend", "--", "bun", "--version"]).end().ok().shows("1.1.");
    stack.run(["df"]).end().ok().shows("postgres_data");
    stack.run(["tasks"]).end().ok().shows("test-backend");
}

/// Backups by the stack's own service, which runs this program: one at once, in the catalogue of the checkout.
pub(super) fn backs_itself_up(stack: &Stack) {
    stack.run(["start", "db_backup"]).env("BACKUP_PROGRAM", program()).end().ok();
    let listed = || stack.run(["db-backup", "--list", "--json"]).end().ok().json()["outcome"]["backups"].clone();
    wait_until("one backup is listed", Duration::from_secs(60), || match listed() {
        Value::Array(all) if all.len() == 1 => Ok(()),
        other => Err(other.to_string()),
    });
    stack.are_healthy("development", &["db_backup"]);
    let file = stack.project.path("backups").join(listed()[0]["file"].as_str().unwrap());
    let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap());
    assert_eq!(owner(&file), owner(stack.project.dir()), "it belongs to the owner of the checkout");

    // One catalogue: the second is numbered after the first, and the first is read by the host's tools.
    stack.run(["db-backup", "--name", "by-hand"]).end().ok();
    let labels: Vec<_> = listed().as_array().unwrap().iter().map(|backup| backup["label"].clone()).collect();
    assert_eq!(labels, [Value::from("by-hand"), Value::Null]);
    stack.run(["db-verify", "--all", "--drill"]).end().ok().shows("restored in");
    let manifest = std::fs::read_to_string(file.with_extension("json")).unwrap();
    for table in TABLES {
        assert!(manifest.contains(&format!("\"name\": \"{table}\"")), "{table} in {manifest}");
    }
}

pub(super) fn stops_and_starts(stack: &Stack) {
    stack.stops_and_starts();
    let kept = stack.sql(&[], "SELECT count(*) FROM users WHERE username IN ('barbara', 'katherine')");
    assert_eq!(kept, ["2"], "the data is still there");
    let ended = stack.run(["restart"]).end();
    ended.ok().shows("ready after");
    tell(&format!("restart took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &["backend", "db", "frontend"]);
}

/// Everything goes, without a question more, and nothing else.
pub(super) fn cleans_up(stack: &Stack) {
    stack.run(["clean", "--all"]).no_tty().end().code(64);
    stack.run(["clean", "--all", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("development", kind), [""; 0], "{kind}s are left");
    }
    assert!(stack.project.path(".env").exists() && stack.project.path("backups/latest").exists(), "files stay");
    stack.run(["clean", "--all", "--yes"]).end().ok().shows("nothing to remove");
}
