//! From `setup` to `clean`.

use crate::support::*;
use std::os::unix::fs::PermissionsExt as _;

const SERVICES: [&str; 4] = ["adminer", "backend", "frontend", "postgres"];
const SECRETS: [&str; 3] = ["POSTGRES_PASSWORD", "DB_APP_PASSWORD", "JWT_SECRET"];

/// One command, from no env file to a stack that is ready and seeded.
pub(super) fn sets_up(stack: &Stack) {
    let ended = stack.run(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("ready after").shows("seeded 01_tenants.sql").shows(&stack.at("frontend", ""));
    tell(&format!("setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("development", &SERVICES);
    has_secrets_of_its_own(stack, "development", &ended);
    stack.run(["env", "check"]).end().ok().shows("no problems in the env files");
}

#[track_caller]
pub(super) fn has_secrets_of_its_own(stack: &Stack, environment: &str, setup: &Ended) {
    let file = format!(".env.{environment}");
    setup.shows(&format!("write {file} (mode 0600)")).shows(&format!("new secrets: {}", SECRETS.join(", ")));
    let mode = std::fs::metadata(stack.project.path(&file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for key in SECRETS {
        let value = stack.variable(&file, key);
        let value = value.trim_matches(['"', '\'']);
        assert!(value.len() >= 32, "{key}");
        setup.never_says(value);
    }
    // Base64 of 64 bytes, as the document asks.
    assert_eq!(stack.variable(&file, "JWT_SECRET").trim_matches(['"', '\'']).len(), 88);
}

/// The commands that only look.
pub(super) fn shows_itself(stack: &Stack) {
    stack
        .run(["health", "--wait=180"])
        .limit(BUILD)
        .end()
        .ok()
        .shows("logs in to pagodirecto_crm")
        .shows("actuator/health")
        .shows("healthy: ");
    stack.run(["doctor"]).end().ok().never_says("FAIL");
    stack.run(["describe"]).end().ok().shows(&stack.at("frontend", "")).shows("(service postgres)");
    stack.run(["ip"]).end().ok().shows("pagodirecto_network").shows("database_network");
    stack.run(["stats"]).end().ok().shows("backend");
    stack.run(["df"]).end().ok().shows("postgres_data");
    stack.run(["tasks"]).end().ok().shows("test");
    stack.run(["env", "explain", "NETWORK_SUBNET"]).end().ok().shows(".env.development");
    stack.run(["exec", "backend", "--", "id", "-u"]).end().ok().shows("1001");
    stack.run(["shell", "backend"]).pty([("$", "id -u\r"), ("1001", "exit\r")]).end().ok();
    let tables = stack.run(["db-shell", "-c", "\\dt *.customers"]).end();
    tables.ok().shows("customers");
    stack.run(["history"]).end().ok().shows("setup");
}

/// `start.sh [profile]`, `stop.sh`, `restart.sh [service]`, `logs.sh [service] [-f] [N]`; the other three are in `data` and
/// below.
pub(super) fn does_what_the_scripts_did(stack: &Stack) {
    stack.run(["logs", "backend", "--tail", "1"]).end().ok();
    assert!(stack.run(["logs", "-n", "2", "backend"]).end().ok().stdout.lines().count() <= 2);
    let following = stack.run(["logs", "backend", "-f"]).spawn();
    stack.get("backend", "/api/health").is(200);
    following.until("GET /api/health 200");
    drop(following);

    let before = stack.identity("development");
    stack.run(["restart", "frontend"]).end().ok().shows("ready after");
    let after = stack.identity("development");
    let changed: Vec<&str> =
        before.iter().zip(&after).filter(|(a, b)| a != b).filter_map(|(a, _)| a.split(' ').next()).collect();
    assert_eq!(changed, ["frontend"]);
    stack.stops_and_starts();
    stack.are_healthy("development", &SERVICES);
    stack.run(["build", "backend"]).limit(BUILD).end().ok();
    stack.project.xtask(["-e", "no-such-profile", "start"]).end().code(78).says("unknown environment");
}

/// `clean.sh`, then `clean.sh --all --volumes --force`: this project's own, nothing else.
pub(super) fn cleans_up(stack: &Stack) {
    let images = stack.objects("development", "image");
    stack.run(["clean"]).no_tty().end().code(64);
    stack.run(["clean", "--yes"]).end().ok();
    assert_eq!(stack.objects("development", "container"), [""; 0]);
    assert_eq!(stack.objects("development", "network"), [""; 0]);
    assert_eq!(stack.objects("development", "image"), images, "images stay");
    assert!(!stack.objects("development", "volume").is_empty(), "data stays");
    stack.run(["clean", "--all", "--volumes", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("development", kind), [""; 0], "{kind}s are left");
    }
    assert!(stack.project.path(".env.development").exists(), "files stay");
    docker(["image", "inspect", "eclipse-temurin:17-jre-alpine"]);
}
