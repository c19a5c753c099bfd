//! Production: the file that stands alone, its own env files, images, containers and volumes.

use serde_json::json;

use super::api;
use crate::support::*;

pub(super) const SERVICES: [&str; 6] = ["backend", "backup", "frontend", "nginx", "postgres", "redis"];

/// From complete env files to a healthy, migrated stack.
pub(super) fn starts(stack: &Stack) {
    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("ready after").shows(&stack.at("https", ""));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("production", &SERVICES);
    stack.produce(["env", "check"]).end().ok().never_says("error");
    stack.produce(["policy"]).end().ok().shows("0 errors, 0 warnings");
    // Its migrations are left to whoever operates it.
    stack.produce(["db-migrate", "status"]).end().code(2).shows("pending  001_users_and_items");
    stack.produce(["db-migrate"]).no_tty().end().code(64);
    stack.produce(["db-migrate", "--yes"]).end().ok();
    stack.produce(["db-migrate", "status"]).end().ok();
    stack.produce(["db-seed", "--yes"]).end().code(77);
    stack
        .produce(["health", "--wait=180"])
        .limit(BUILD)
        .end()
        .ok()
        .shows("logs in to thrifting_buddy")
        .shows("answers PING");
    let identity = stack.identity("production");
    let ended = stack.produce(["setup", "--yes", "--json"]).end();
    assert_eq!(ended.ok().outcome()["changes"], json!([]), "{ended}");
    // The job that looks after the certificate may look again.
    let lasting = |all: &[String]| all.iter().filter(|line| !line.starts_with("certs ")).cloned().collect::<Vec<_>>();
    assert_eq!(lasting(&stack.identity("production")), lasting(&identity), "a second setup changes nothing");
}

pub(super) fn serves(stack: &Stack) {
    let moved = stack.get("http", "/somewhere?a=b").is(301);
    moved.has("location", &stack.at("https", "/somewhere?a=b"));
    let base = stack.at("https", "");
    let page = stack.get("https", "/").is(200);
    assert!(page.body.contains("<title>My Thrifting Buddy</title>"), "{page:?}");
    page.has("strict-transport-security", "max-age=31536000").has("x-content-type-options", "nosniff");
    stack.get("https", "/health").is(200);
    let scan = stack.get("https", "/api/scan/health").is(200).json();
    assert_eq!((&scan["recognition"], &scan["storage"]), (&json!("configured"), &json!("configured")), "{scan}");
    api::uses_both_tables(stack, &PRODUCTION, &base);
    let items = format!("{base}/api/items");
    let limited = get(&items).is(200);
    limited.has("ratelimit-limit", "100");
    // Nobody talks their way past the count.
    let left = |answer: &Answer| answer.header("ratelimit-remaining").unwrap().parse::<u32>().unwrap();
    let other = curl(&["-H", "X-Forwarded-For: 203.0.113.7", &items]).is(200);
    assert_eq!(left(&other), left(&limited) - 1, "the same client");
    for (version, ok) in [("1.1", false), ("1.2", true), ("1.3", true)] {
        let (option, most) = (format!("--tlsv{version}"), ["--tls-max", version]);
        assert_eq!(try_curl(&[&option, most[0], most[1], &base]).is_ok(), ok, "TLS {version}");
    }
}

/// stdout and files, as documented; JSON, and no secret in any.
pub(super) fn logs_are_where_they_should_be(stack: &Stack) {
    let inside = |service: &str, command: &str| {
        let id = stack.container("production", service)["Id"].as_str().unwrap().to_owned();
        docker(["exec", &id, "sh", "-c", command])
    };
    let last = inside("backend", "tail -q -n 1 /app/logs/backend-$(hostname).log");
    let entry: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{entry}");
    for kind in ["access", "error"] {
        inside("nginx", &format!("test -f /var/log/nginx/{kind}.log -a ! -L /var/log/nginx/{kind}.log"));
    }
    let access = inside("nginx", "tail -n 1 /var/log/nginx/access.log");
    assert!(serde_json::from_str::<serde_json::Value>(&access).unwrap()["upstream"].is_string(), "{access}");
    let logs = stack.produce(["logs", "--tail", "2000"]).end();
    logs.ok().shows("listening").shows("\"method\":\"GET\"");
    for (file, key) in [
        (".env.production", "POSTGRES_PASSWORD"),
        (".env.production", "REDIS_PASSWORD"),
        ("backend/.env.production", "JWT_ACCESS_SECRET"),
        ("backend/.env.production", "OPENAI_API_KEY"),
    ] {
        logs.never_says(stack.variable(file, key).trim_matches('"'));
    }
    // Nor in any process list.
    let containers = stack.containers("production");
    let running = containers.iter().filter(|it| it["State"]["Running"] == true);
    let password = stack.variable(".env.production", "REDIS_PASSWORD");
    for id in running.map(|container| container["Id"].as_str().unwrap()) {
        assert!(!docker(["top", id, "-o", "pid,args"]).contains(&password), "a password in a process list");
    }
}

/// The service has made one by itself; another one is made by hand, in the one program's words.
pub(super) fn backs_up_when_told(stack: &Stack) {
    let words = ["exec", "backup", "--", "/backup.sh"];
    stack.produce(words).end().ok();
    let listed = stack.project.xtask(PRODUCTION.iter().chain(&words).chain(&["--list", "--json"])).end();
    let listed: serde_json::Value = serde_json::from_str(&listed.ok().stdout).unwrap();
    let all = listed["outcome"]["backups"].as_array().unwrap();
    let is_proven = |backup: &serde_json::Value| {
        backup["decoded"].is_string() && backup["file"].as_str().is_some_and(|file| file.contains("-production-"))
    };
    assert!(all.len() >= 2 && all.iter().all(is_proven), "{listed}");
    stack.produce(["exec", "backup", "--", "xtask", "-C", "/project", "db-verify", "latest"]).end().ok();
    // The host's own.
    stack.produce(["db-backup"]).end().ok();
    stack.produce(["db-verify", "latest"]).end().ok();
}

/// `--yes` is not enough there; the name is, but for the data.
pub(super) fn is_guarded(stack: &Stack) {
    let name = stack.compose_name("production");
    let before = stack.identity("production");
    stack.produce(["db-reset", "--yes"]).end().code(77);
    stack.produce(["db-migrate", "down", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    stack.produce(["db-restore", "latest", "--yes"]).end().code(77);
    stack.produce(["clean", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    assert_eq!(stack.identity("production"), before, "nothing was touched");
    stack.produce(["clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
}
