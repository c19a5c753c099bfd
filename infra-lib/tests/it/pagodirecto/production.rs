//! Production: closed, behind nginx.

use std::os::unix::fs::PermissionsExt;

use super::lifecycle::has_secrets_of_its_own;
use crate::support::*;

const SERVICES: [&str; 4] = ["backend", "frontend", "nginx", "postgres"];

pub(super) fn sets_up(stack: &Stack) {
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows(&stack.at("https", ""));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("production", &SERVICES);
    has_secrets_of_its_own(stack, "production", &ended);
    stack.produce(["env", "check"]).end().ok().shows("no problems in the env files");
    stack.produce(["health", "--wait=180"]).limit(BUILD).end().ok().shows("logs in to pagodirecto_crm");
    stack.produce(["doctor"]).end().ok().never_says("FAIL");
    stack.produce(["policy"]).end().ok().shows("0 errors, 0 warnings");
    // The backend has migrated; seeds are for development.
    stack.produce(["db-migrate", "status"]).end().ok().shows("3 applied, 0 pending");
    assert_eq!(stack.sql(&PRODUCTION, "SELECT count(*) FROM identity.tenants"), ["0"]);
    stack.produce(["db-seed", "--yes"]).end().code(77);
    stack.produce(["db-reset", "--yes"]).end().code(77);
    // Others may not read the secrets.
    let file = stack.project.path(".env.production");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    stack.produce(["start"]).end().code(78).says(".env.production");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
}

pub(super) fn serves(stack: &Stack) {
    let page = stack.get("https", "/").is(200);
    assert!(page.body.contains("<title>PagoDirecto</title>") && page.body.contains("/assets/"), "{page:?}");
    assert_eq!(stack.get("https", "/actuator/health").is(200).json()["status"], "UP");
    assert_eq!(stack.get("https", "/api/health").is(200).json()["status"], "UP");
    // What is for the network inside only.
    stack.get("https", "/actuator/prometheus").is(404);
    let location = stack.get("http", "/deep?x=1").is(301).header("location");
    assert_eq!(location.as_deref(), Some("https://localhost/deep?x=1"));
    for path in ["/", "/api/health", "/actuator/prometheus"] {
        stack
            .get("https", path)
            .has("x-frame-options", "SAMEORIGIN")
            .has("x-content-type-options", "nosniff")
            .has("strict-transport-security", "max-age=31536000; includeSubDomains");
        assert!(stack.get("https", path).header("content-security-policy").is_some(), "{path}");
    }
    let asset = page.body.split('"').find(|text| text.starts_with("/assets/")).expect("an asset").to_owned();
    stack.get("https", &asset).is(200).has("cache-control", "public, max-age=31536000, immutable");
    let squeezed = curl(&["-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-", &stack.at("https", "/")]);
    assert!(format!("{squeezed:?}").contains("gzip"), "{squeezed:?}");
    // The built images hold nothing to build with.
    let has = |service: &str, path: &str| stack.produce(["exec", service, "--", "test", "-e", path]).end().exit == 0;
    assert!(has("backend", "/app/classes/com/pagodirecto/Main.class"));
    assert!(!has("backend", "/opt/java/openjdk/bin/javac") && !has("backend", "/app/src"));
    assert!(!has("backend", "/app/classes/com/pagodirecto/dev") && !has("frontend", "/app"));
}

pub(super) fn backs_up_and_restores(stack: &Stack) {
    let name = stack.compose_name("production");
    stack.sql(&PRODUCTION, "INSERT INTO identity.tenants (name) VALUES ('kept')");
    stack.produce(["backup"]).end().ok();
    stack.produce(["db-verify", "--all", "--drill"]).end().ok();
    stack.sql(&PRODUCTION, "DELETE FROM identity.tenants");
    stack.produce(["db-restore", "latest", "--yes"]).end().code(77).says("--confirm");
    stack.produce(["db-restore", "latest", "--confirm", &name]).end().ok();
    assert_eq!(stack.sql(&PRODUCTION, "SELECT name FROM identity.tenants"), ["kept"]);
    stack.produce(["health", "--wait=180"]).limit(BUILD).end().ok();
    assert_eq!(stack.get("https", "/actuator/health").is(200).json()["status"], "UP");
}

pub(super) fn grows(stack: &Stack) {
    stack.produce(["scale", "backend=2"]).end().ok();
    let count = stack.containers("production").iter().filter(|it| service_of(it) == "backend").count();
    assert_eq!(count, 2);
    stack.get("https", "/api/health").is(200);
    stack.produce(["start"]).end().ok();
    let before = stack.identity("production");
    stack.produce(["build"]).limit(BUILD).end().ok();
    let lasting = |all: Vec<String>| all.into_iter().filter(|line| !line.starts_with("certs ")).collect::<Vec<_>>();
    assert_eq!(lasting(stack.identity("production")), lasting(before), "what runs is replaced by the next start only");
}

/// Five logins a minute, ten requests a second.
pub(super) fn limits_rates(stack: &Stack) {
    let logins = flood(&stack.at("https", "/api/v1/auth/login"), 8, &["-d", "{}"]);
    assert_eq!(logins.iter().filter(|status| **status == 400).count(), 5, "{logins:?}");
    assert_eq!(logins.iter().filter(|status| **status == 429).count(), 3, "{logins:?}");
    let requests = flood(&stack.at("https", "/api/health"), 120, &[]);
    assert!(requests.contains(&200) && requests.contains(&429), "{requests:?}");
}

/// `--yes` is not enough there; the name is, but for the data.
pub(super) fn clean_wants_the_name(stack: &Stack) {
    let name = stack.compose_name("production");
    stack.produce(["clean", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    stack.produce(["clean", "--confirm", &name]).end().ok();
    assert!(!stack.objects("production", "volume").is_empty(), "data stays");
    stack.produce(["clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
}
