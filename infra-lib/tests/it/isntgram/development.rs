//! Development, from `setup` to `clean`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::*;

const SERVICES: [&str; 3] = ["api", "postgres", "web"];

pub(super) fn sets_up(stack: &Stack) {
    let ended = stack.run(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("new secrets: POSTGRES_PASSWORD, JWT_SECRET").shows("ready after").shows("seeded 01_people.sql");
    ended.shows(&stack.at("web", "")).shows(&stack.at("api", ""));
    tell(&format!("setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &SERVICES);
    let mode = std::fs::metadata(stack.project.path(".env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for key in ["POSTGRES_PASSWORD", "JWT_SECRET"] {
        let value = stack.variable(".env", key);
        assert!(value.len() >= 32, "{key}");
        ended.never_says(&value);
    }
    stack.run(["env", "check"]).end().ok().shows("no problems in the env files");
    stack.run(["doctor"]).end().ok().never_says("FAIL");
    stack.run(["policy"]).end().ok().shows("0 errors, 0 warnings");
}

/// The commands that only look.
pub(super) fn shows_itself(stack: &Stack) {
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok().shows("logs in to isntgram").shows("healthy: ");
    stack.run(["describe"]).end().ok().shows(&stack.at("web", "")).shows("(service postgres)");
    stack.run(["stats"]).end().ok().shows("api");
    stack.run(["df"]).end().ok().shows("postgres_data");
    stack.run(["tasks"]).end().ok().shows("test");
    stack.run(["exec", "api", "--", "node", "--version"]).end().ok().shows("v20.");
    stack.run(["shell", "web"]).pty([("$", "id -u\r"), ("1000", "exit\r")]).end().ok();
    // Each line is one JSON object.
    let logged = stack.run(["logs", "--json", "api"]).end();
    let lines = logged.ok().outcome()["lines"].clone();
    assert!(lines.to_string().contains("listening"), "{lines}");
    let container = stack.container("development", "api")["Id"].as_str().unwrap().to_owned();
    for line in docker(["logs", &container]).lines().filter(|line| line.contains("\"service\"")) {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(entry["time"].is_string() && entry["level"].is_string() && entry["message"].is_string(), "{line}");
    }
}

/// Its own tests, and a change of a source that is live without a build.
pub(super) fn is_worked_on(stack: &Stack) {
    let ended = stack.run(["test"]).end();
    assert!(ended.ok().stdout.contains("# fail 0") && ended.stdout.contains("# skipped 0"), "{ended}");
    let page = stack.project.read("web/page.js");
    stack.project.write("web/page.js", &page.replace("<h1>Isntgram", "<h1>Isntgram, changed"));
    let began = Instant::now();
    wait_until("the change is live", Duration::from_secs(20), || match try_curl(&[&stack.at("web", "/")]) {
        Ok(answer) if answer.body.contains("<h1>Isntgram, changed") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    tell(&format!("a change was live after {:.1} s", began.elapsed().as_secs_f32()));
    let_watchers_settle();
    stack.project.write("web/page.js", &page);
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok();
}

/// The API's own command migrates; the library seeds, resets and backs up before.
pub(super) fn changes_its_schema(stack: &Stack) {
    let photos = || stack.sql(&[], "SELECT to_regclass('photos') IS NOT NULL");
    stack.run(["db-migrate", "status"]).end().ok().shows("applied CreatePhotos1760000100000");
    stack.run(["db-migrate", "down", "--yes"]).end().ok().shows("migrate.js down");
    assert_eq!(photos(), ["f"]);
    stack.run(["db-migrate", "status"]).end().code(2).shows("pending CreatePhotos1760000100000");
    stack.run(["db-migrate"]).end().ok();
    assert_eq!(photos(), ["t"]);
    // What a failing migration says is heard, and nothing of it stays.
    let broken = "api/migrations/1760000200000-Broken.js";
    stack.project.write(broken, "export default { up: async (c) => { await c.query('CREATE TABLE half ()'); await c.query('SELECT nonsense'); } };\n");
    stack.run(["db-migrate"]).end().code(1).says("nonsense");
    std::fs::remove_file(stack.project.path(broken)).unwrap();
    assert_eq!(stack.sql(&[], "SELECT to_regclass('half') IS NULL"), ["t"]);
    stack.run(["db-reset", "--yes"]).end().ok().shows("backup of the previous database: backups/");
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM photos"), ["3"], "the seeds have run again");
    stack.run(["db-seed", "--yes"]).end().ok().shows("nothing to do");
}

pub(super) fn backs_up_and_restores(stack: &Stack) {
    stack.run(["db-backup", "--name", "three"]).end().ok();
    stack.run(["db-verify", "--drill"]).end().ok().shows("restored in");
    stack.sql(&[], "DELETE FROM photos");
    stack.run(["db-restore", "latest", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM photos"), ["3"]);
    stack.run(["db-restore", "--rollback", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM photos"), ["0"]);
    stack.run(["backup"]).end().ok();
    stack.run(["restore", "latest", "--yes"]).end().ok();
    stack.run(["db-backup", "--list"]).end().ok().shows("three");
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok();
}

pub(super) fn comes_and_goes(stack: &Stack) {
    stack.stops_and_starts();
    stack.run(["restart", "web"]).end().ok().shows("ready after");
    stack.run(["build", "api"]).limit(BUILD).end().ok();
    stack.are_healthy("development", &SERVICES);
}

/// Everything goes, without a question more, and nothing else.
pub(super) fn cleans_up(stack: &Stack) {
    stack.run(["clean", "--all"]).no_tty().end().code(64);
    stack.run(["clean", "--all", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("development", kind), [""; 0], "{kind}s are left");
    }
    assert!(stack.project.path(".env").exists() && stack.project.path("backups/latest").exists(), "files stay");
}
