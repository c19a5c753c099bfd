//! `env rotate`, and passwords that a volume remembers.

use crate::support::*;

use super::{is_fresh_secret, mode, project, value};

const OLD: &str = "canary-of-the-old-password";

/// A database whose password stands in the env file, and a URL with it.
fn with_database() -> TestProject {
    let database = DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'");
    let text = format!(
        "# kept as it is\nPORT=1\nDB_PASSWORD={OLD} # the role's\nexport DATABASE_URL=\"postgres://postgres:{OLD}@db/${{DB:-postgres}}\"\nLAST='x'"
    );
    TestProject::new().compose(&format!("services:{database}")).file(".env", &text)
}

fn rotate(project: &TestProject, key: &str) -> Call {
    project.xtask(["env", "rotate", key, "--yes"])
}

/// Whether the server in the container lets this password in, over TCP.
fn lets_in(project: &TestProject, password: &str) -> bool {
    let container = project.container("db");
    let host = docker(["inspect", "--format", "{{.Config.Hostname}}", &container]);
    let login = ["exec", "-e", "PGPASSWORD", &container, "psql", "-h", &host, "-U", "postgres", "-w", "-c", "select 1"];
    // Not in its arguments: another test may be watching those of every process.
    command("docker").env("PGPASSWORD", password).args(login).output().is_ok_and(|output| output.status.success())
}

#[test]
fn rotating_the_databases_password_changes_the_role_and_that_value_alone() {
    let Some(_engine) = engine() else { return };
    let project = with_database();
    project.xtask(["start"]).end().ok();
    let before = project.read(".env");
    assert!(lets_in(&project, OLD));
    let sampler = Sampler::watch(&[OLD]);
    let ended = rotate(&project, "DB_PASSWORD").end();
    let seen = sampler.finish();
    assert!(seen.hits.is_empty(), "{:?}", seen.hits);
    ended
        .ok()
        .shows("the new password of the role postgres")
        .shows("DATABASE_URL")
        .shows("cargo xtask start")
        .never_says(OLD);
    let after = project.read(".env");
    let new = value(&project, ".env", "DB_PASSWORD").split(' ').next().unwrap().to_owned();
    assert!(is_fresh_secret(&new) && !ended.stdout.contains(&new), "{ended}");
    assert_eq!(after.replace(&new, OLD), before, "no other byte");
    assert_eq!(mode(&project.path(".env")), 0o600);
    assert!(lets_in(&project, &new) && !lets_in(&project, OLD), "the old one is no longer good");
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    project.xtask(["start"]).end().ok();
    let logs = docker(["logs", &project.container("db")]);
    assert!(!logs.contains(&new), "the server's log has no password");
    project.xtask(["env", "check", "--json"]).end().ok().never_says(&new);
}

#[test]
fn rotating_asks_and_a_dry_run_rotates_nothing() {
    let Some(_engine) = engine() else { return };
    let project = with_database();
    project.xtask(["start"]).end().ok();
    let before = project.read(".env");
    project.xtask(["env", "rotate", "DB_PASSWORD"]).no_tty().end().code(64).says("--yes");
    rotate(&project, "DB_PASSWORD").end().ok();
    project.write(".env", &before);
    let project = with_database();
    project.xtask(["start"]).end().ok();
    project.xtask(["env", "rotate", "DB_PASSWORD", "--dry-run"]).end().ok().never_says(OLD);
    assert_eq!(project.read(".env"), before);
    assert!(lets_in(&project, OLD));
}

#[test]
fn a_database_that_does_not_run_keeps_its_password_and_the_file_too() {
    let Some(_engine) = engine() else { return };
    let project = with_database();
    let before = project.read(".env");
    rotate(&project, "DB_PASSWORD").end().code(69).says("start");
    assert_eq!(project.read(".env"), before);
}

#[test]
fn e11_a_password_that_the_volume_does_not_know_is_explained_and_can_be_mended() {
    let Some(_engine) = engine() else { return };
    let project = with_database();
    project.write(
        "compose.yml",
        &(project.read("compose.yml") + "    volumes: ['data:/var/lib/postgresql/data']\nvolumes: {data: {}}\n"),
    );
    project.xtask(["start"]).end().ok();
    project.write(".env", "DB_PASSWORD=another-canary-of-the-test\n");
    let ended = project.xtask(["start"]).end();
    ended.code(77).says("password authentication failed").says("the password with which it was initialised");
    ended.says("ALTER ROLE").says("env rotate DB_PASSWORD").never_says("another-canary");
    // The two ways out that were named.
    rotate(&project, "DB_PASSWORD").end().ok().says("from inside the container");
    project.xtask(["start"]).end().ok();
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    assert!(!lets_in(&project, OLD));
}

#[test]
fn a_compose_secret_is_rotated_in_its_file_and_in_the_server() {
    let Some(_engine) = engine() else { return };
    let database =
        DATABASE.replace("POSTGRES_PASSWORD: fixture-password", "POSTGRES_PASSWORD_FILE: /run/secrets/db_password");
    let text =
        format!("services:{database}    secrets: [db_password]\nsecrets: {{db_password: {{file: ./secrets/db}}}}\n");
    let project = TestProject::new().compose(&text).file("secrets/db", &format!("{OLD}\n"));
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(project.path("secrets/db"), open).unwrap();
    project.xtask(["start"]).end().ok();
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    project.xtask(["env", "explain"]).end().ok().shows("db_password").shows("secrets/db").never_says(OLD);
    rotate(&project, "db_password").end().ok().shows("the role postgres").shows("cargo xtask restart").never_says(OLD);
    let new = project.read("secrets/db").trim().to_owned();
    assert!(is_fresh_secret(&new));
    assert_eq!(mode(&project.path("secrets/db")), 0o644, "the container's user must still read it");
    assert!(lets_in(&project, &new) && !lets_in(&project, OLD));
    project.xtask(["restart"]).end().ok();
    let inside = docker(["exec", &project.container("db"), "cat", "/run/secrets/db_password"]);
    assert_eq!(inside.trim(), new);
}

#[test]
fn what_is_no_secret_of_its_own_is_not_rotated() {
    let Some(()) = compose() else { return };
    let project =
        project(&[(".env", "PORT=8080\nAPI_TOKEN=abc\nDATABASE_URL=postgres://u:secret-canary@h/d\nPIN=1\n")]);
    let before = project.read(".env");
    rotate(&project, "PORT").end().code(64).says("does not have the name of a secret").says("[env.PORT]");
    rotate(&project, "DATABASE_URL").end().code(64).says("URL").never_says("canary");
    rotate(&project, "API_TOKNE").end().code(66).says("env explain");
    rotate(&project, "API_TOKEN").env("API_TOKEN", "shell").end().code(78).says("unset API_TOKEN");
    assert_eq!(project.read(".env"), before);
    let project = project.file("infra.toml", "[env.PIN]\ngenerate = \"hex:16\"\n");
    rotate(&project, "PIN").end().ok();
    assert_eq!(value(&project, ".env", "PIN").len(), 32);
    rotate(&project, "API_TOKEN").end().ok();
    assert!(is_fresh_secret(&value(&project, ".env", "API_TOKEN")));
}

#[test]
fn a_copy_in_another_file_is_told() {
    let Some(_engine) = engine() else { return };
    let project = project(&[(".env", &format!("JWT_SECRET={OLD}\n")), ("web.env", &format!("COPY={OLD}\n"))]);
    let text = project.read("compose.yml").replace("init: true", "init: true, env_file: [web.env]");
    project.write("compose.yml", &text);
    rotate(&project, "JWT_SECRET").end().ok().says("service `web` still gets the old value in COPY").never_says(OLD);
}

#[test]
fn the_local_databases_password_is_rotated_too() {
    let Some(_postgres) = postgres() else { return };
    let manifest = "[project]\nname = \"@name@\"\n[database]\npassword = \"env:DB_PASSWORD\"\n";
    let project = TestProject::new().file("infra.toml", manifest).file(".env", &format!("DB_PASSWORD={OLD}\n"));
    project.xtask(["setup", "--yes"]).end().ok();
    rotate(&project, "DB_PASSWORD").end().ok().shows("the role").never_says(OLD);
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    project.write(".env", &format!("DB_PASSWORD={OLD}\n"));
    project.xtask(["db-shell", "-c", "select 1"]).end().code(77).says("password authentication failed");
}

/// Not a placeholder, which unrelated variables can share.
const SHARED: &str = "k9Zt71-canary-41uxQ8";

#[test]
fn p15_every_holder_of_a_secret_gets_the_new_one() {
    let Some(_engine) = engine() else { return };
    let database =
        DATABASE.replace("environment: {POSTGRES_PASSWORD: fixture-password}", "env_file: db.env\n    secrets: [pw]");
    let text =
        format!("services:{database}  app: {{{SLEEPS}, env_file: app.env}}\nsecrets: {{pw: {{file: ./pw.txt}}}}\n");
    let project = TestProject::new()
        .compose(&text)
        .file("db.env", &format!("POSTGRES_PASSWORD={SHARED}\n"))
        .file(
            "app.env",
            &format!(
                "DB_PASSWORD={SHARED}\nDATABASE_URL=postgres://postgres:{SHARED}@db/x\nOTHER_TOKEN=unrelated-value\n"
            ),
        )
        .file("pw.txt", SHARED);
    project.xtask(["start"]).end().ok();
    let before = ["db.env", "app.env", "pw.txt"].map(|path| project.read(path));
    let dry = project.xtask(["env", "rotate", "POSTGRES_PASSWORD", "--dry-run"]).end();
    for holder in ["DB_PASSWORD in ", "DATABASE_URL in ", "pw in "] {
        dry.ok().shows(holder);
    }
    assert_eq!(before, ["db.env", "app.env", "pw.txt"].map(|path| project.read(path)));
    rotate(&project, "POSTGRES_PASSWORD").end().ok().shows("DB_PASSWORD in ").never_says(SHARED);
    let new = value(&project, "db.env", "POSTGRES_PASSWORD");
    assert!(is_fresh_secret(&new) && lets_in(&project, &new));
    assert_eq!(["db.env", "app.env", "pw.txt"].map(|path| project.read(path).replace(&new, SHARED)), before);
    assert!(!project.read("app.env").contains(SHARED) && project.read("app.env").contains("unrelated-value"));
}
