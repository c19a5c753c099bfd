//! What `setup` says while it works, and what its hints and those of `start` lead to.

use std::net::TcpListener;

use crate::support::*;

/// A service with this port, as written.
fn web(port: &str) -> String {
    format!("services: {{web: {{{SLEEPS}, ports: ['{port}']}}}}\n")
}

#[test]
fn p12_a_setup_that_fails_has_reported_what_it_wrote() {
    let Some(_engine) = engine() else { return };
    let Some(git) = tool("git") else { return };
    let project = TestProject::new();
    let _holder = TcpListener::bind(("0.0.0.0", project.port("web"))).unwrap();
    project.write("compose.yml", &web("${WEB_PORT:?}:80").replace("@image@", "none-@name@, build: ./nowhere"));
    project.write("infra.toml", "[environments.development]\nenv-files = [\".env.shared\", \".env.ports\"]\n");
    project.write(".env.shared.example", "TOKEN=\n");
    project.write(".env.ports", "WEB_PORT=@port:web@\n");
    project.write("ui/.env.example", "API_TOKEN=\n");
    for words in [&["init", "-q"][..], &["add", ".env.ports"]] {
        project.xtask(words.iter().copied()).of(&git).end().ok();
    }
    let ended = project.xtask(["setup", "--yes"]).end();
    assert_ne!(ended.exit, 0, "{ended}");
    let at = |text: &str| ended.stderr.find(text).unwrap_or_else(|| panic!("stderr lacks {text:?}: {ended}"));
    assert!(at("write .env.shared") < at(".env.ports is committed to git; setup changes WEB_PORT"));
    assert!(at(".env.ports is committed") < at("moved `web` to port"));
}

#[test]
fn p13_the_advice_about_a_port_that_is_taken_leads_to_a_start() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    let port = project.port("web");
    let _holder = TcpListener::bind(("0.0.0.0", port)).unwrap();
    project.write("compose.yml", &web(&format!("{port}:80")));
    // Neither sends to the other.
    let written = format!("\"${{WEB_PORT:-{port}}}:80\"");
    for command in ["start", "setup"] {
        project.xtask([command]).end().code(1).says(&written).never_says("finds a free");
    }
    project.xtask(["doctor"]).end().code(2).shows(&written);
    for published in [written.trim_matches('"').to_owned(), format!("${{P:-{port}}}:${{P:-{port}}}")] {
        project.write("compose.yml", &web(&published));
        let _ = std::fs::remove_file(project.path(".env"));
        project.xtask(["start"]).end().code(1).says("setup` finds a free port");
        project.xtask(["setup", "--yes"]).end().ok();
        project.xtask(["clean", "--yes"]).end().ok();
    }
}

#[test]
fn p13_every_usual_name_of_a_template_is_one_for_setup_and_fill() {
    let Some(_engine) = engine() else { return };
    for name in [".env.sample", ".env.dist", ".env.template", "env.example"] {
        let text = format!("services: {{web: {{{SLEEPS}, labels: {{key: '${{APP_SECRET:?}}'}}}}}}\n");
        let project = TestProject::new().compose(&text).file(name, "APP_SECRET=\nPORT=80\n");
        project.xtask(["start"]).end().code(78).says("APP_SECRET").says("`cargo xtask setup` creates it");
        project.xtask(["setup", "--yes", "--no-start"]).end().ok();
        assert!(project.read(".env").contains("PORT=80") && !project.read(".env").contains("APP_SECRET=\n"));
        project.write(name, "APP_SECRET=\nPORT=80\nNEW=1\n");
        project.xtask(["env", "fill", "--yes"]).end().ok();
        assert!(project.read(".env").contains("NEW=1"));
    }
}

#[test]
fn p14_policy_needs_no_real_values() {
    let Some(_compose) = compose() else { return };
    let text = format!(
        "services: {{web: {{{SLEEPS}, ports: ['${{BIND_ADDR:?x}}:${{WEB_PORT:?y}}:80'], volumes: ['${{DATA:?}}:/data'], \
         stop_grace_period: '${{STOP_TIMEOUT:?}}'}}}}\nnetworks: {{default: {{ipam: {{config: [{{subnet: '${{SUBNET:?}}'}}]}}}}}}\n"
    );
    let keys = "BIND_ADDR=\nWEB_PORT=\nDATA=\nSTOP_TIMEOUT=\nSUBNET=\n";
    let project = TestProject::new().compose(&text).file(".env.example", keys);
    let ended = project.xtask(["policy"]).end();
    assert!(ended.exit == 0 || ended.exit == 2, "{ended}");
    // Where no stand-in fits, the variables are named, and no value of ours.
    project.write("compose.yml", &text.replace("init: true", "init: '${WITH_INIT:?}'"));
    project.xtask(["policy"]).end().code(78).says("WITH_INIT").never_says("20001");
}

#[test]
fn p22_pending_migrations_are_named() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:{DATABASE}"))
        .file("migrations/0001_shop.sql", "CREATE TABLE shop (name text);\n")
        .file("migrations/0002_item.sql", "CREATE TABLE item (name text);\n");
    let setup = project.xtask(["setup", "--yes"]).end();
    setup.ok().shows("pending migrations: 1, 2").shows("cargo xtask db-migrate");
    let only = ["health", "--only", "migrations"];
    project.xtask(only).end().ok().shows("2 pending: 1, 2").shows("`cargo xtask db-migrate`");
    project.write("infra.toml", "[migrations]\ndir = \"migrations\"\n");
    project.xtask(only).end().code(2).shows("2 pending");
    project.xtask(["db-migrate"]).end().ok();
    project.xtask(only).end().ok().shows("2 applied, none pending");
}

/// Somebody else made the tables: what `db-migrate` would refuse is not advised.
#[test]
fn p22_migrations_of_a_database_without_a_ledger_are_not_said_to_be_due() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:{DATABASE}"))
        .file("migrations/0001_shop.sql", "CREATE TABLE shop (name text);\n");
    project.xtask(["start"]).end().ok();
    project.xtask(["db-shell", "-c", "CREATE TABLE shop (name text)"]).end().ok();
    project.xtask(["setup", "--yes"]).end().ok().never_says("pending migrations").never_says("db-migrate");
    let health = project.xtask(["health", "--only", "migrations"]).end();
    health.ok().shows("1 pending: 1").shows("no ledger").shows("`cargo xtask db-migrate baseline 1`");
    project.xtask(["db-migrate", "baseline", "1"]).end().ok();
    project.xtask(["health", "--only", "migrations"]).end().ok().shows("1 applied, none pending");
}
