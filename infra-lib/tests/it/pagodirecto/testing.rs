//! The environment testing: a database of its own, and the backend's tests on it.

use super::lifecycle::has_secrets_of_its_own;
use crate::support::*;

const TESTING: [&str; 2] = ["-e", "testing"];
const TENANTS: &str = "SELECT name FROM identity.tenants ORDER BY name";

pub(super) fn development_has_data(stack: &Stack) {
    stack.run(["setup", "--no-start", "--yes"]).limit(BUILD).end().ok();
    stack.run(["start", "postgres"]).end().ok();
    // The backend does not run: it is started for the migrations.
    stack.run(["db-migrate"]).end().ok();
    stack.run(["db-seed", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], TENANTS), ["Aurora", "Boreal"]);
}

/// The tests are a job of this profile: the stack is ready when they have passed.
pub(super) fn sets_up(stack: &Stack) {
    let ended = stack.project.xtask(TESTING.into_iter().chain(["setup", "--yes"])).limit(BUILD).end();
    ended.ok().shows("ready after");
    has_secrets_of_its_own(stack, "testing", &ended);
    stack.are_healthy("testing", &["backend", "frontend", "postgres"]);
    let logged = stack.project.xtask(TESTING.into_iter().chain(["logs", "backend-test"])).end();
    logged.ok().shows("5 tests passed");
    // They run again as a task.
    let ended = stack.project.xtask(TESTING.into_iter().chain(["test"])).end();
    ended.ok();
    assert!(format!("{ended}").contains("5 tests passed"), "{ended}");
}

/// Other containers, volumes, networks, secrets and rows.
pub(super) fn shares_nothing_with_development(stack: &Stack) {
    let databases = [stack.sql(&[], "SELECT current_database()"), stack.sql(&TESTING, "SELECT current_database()")];
    assert_eq!(databases, [["pagodirecto_crm"], ["pagodirecto_crm_test"]]);
    let clusters = "SELECT system_identifier FROM pg_control_system()";
    assert_ne!(stack.sql(&[], clusters), stack.sql(&TESTING, clusters), "two servers");
    stack.sql(&TESTING, "INSERT INTO identity.tenants (name) VALUES ('only in testing')");
    assert_eq!(stack.sql(&[], TENANTS), ["Aurora", "Boreal"]);
    assert!(stack.sql(&TESTING, TENANTS).contains(&"only in testing".to_owned()));
    for key in ["POSTGRES_PASSWORD", "DB_APP_PASSWORD", "JWT_SECRET"] {
        assert_ne!(stack.variable(".env.development", key), stack.variable(".env.testing", key), "{key}");
    }
    for kind in ["container", "network", "volume"] {
        let (here, there) = (stack.objects("testing", kind), stack.objects("development", kind));
        assert!(!here.is_empty() && here.iter().all(|name| !there.contains(name)), "{kind}: {here:?} {there:?}");
    }
    // Nothing of it is published.
    for container in stack.containers("testing") {
        let published = container["HostConfig"]["PortBindings"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(published, 0, "{}", service_of(&container));
    }
    stack.project.xtask(TESTING.into_iter().chain(["clean", "--all", "--yes"])).end().ok();
    assert_eq!(stack.sql(&[], TENANTS), ["Aurora", "Boreal"], "development is untouched");
}
