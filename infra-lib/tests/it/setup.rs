//! `setup`: what it chooses, keeps, changes and leaves alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::*;

/// An engine that is not there.
const NO_ENGINE: (&str, &str) = ("DOCKER_HOST", "unix:///nowhere/docker.sock");

fn shop() -> TestProject {
    let database = DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'");
    TestProject::new()
        .compose(&format!("services:{database}    ports: ['127.0.0.1:${{DB_PORT:-@port:db@}}:5432']\n"))
        .file(".env.example", "DB_PASSWORD=\n")
}

fn record(project: &TestProject) -> serde_json::Value {
    serde_json::from_str(&project.read(".infra/setup.json")).unwrap()
}

/// Every file below a folder, with its content and its time.
fn everything(dir: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let (path, time) = (entry.path(), entry.metadata().unwrap().modified().unwrap());
        if path.is_dir() {
            found.insert(path.display().to_string(), (Vec::new(), time));
            found.extend(everything(&path));
        } else {
            found.insert(path.display().to_string(), (std::fs::read(&path).unwrap_or_default(), time));
        }
    }
    found
}

#[test]
fn one_command_ends_with_a_stack_that_answers_and_a_second_run_changes_nothing() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    let first = project.xtask(["setup", "--yes"]).end();
    first.ok().shows("write .env (mode 0600)").shows("create the folder backups (mode 0700)").shows("ready after");
    first.shows(&format!("db: localhost:{}", project.port("db")));
    assert_eq!((&record(&project)["services"], &record(&project)["database"]), (&"compose".into(), &"service".into()));
    project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    let mark = "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()";
    let expected = format!("[infra project={} environment=development]", project.name());
    project.xtask(["db-shell", "-c", mark]).end().ok().shows(&expected);

    let (container, before) = (project.container("db"), everything(project.dir()));
    let second = project.xtask(["setup", "--yes", "--json"]).end();
    assert_eq!(second.ok().clone().outcome()["changes"], serde_json::json!([]), "{second}");
    assert!(second.took < Duration::from_secs(60), "{second}");
    assert_eq!(project.container("db"), container, "not even made anew");
    let mut after = everything(project.dir());
    // The journal has one line more, and locks are opened.
    after.retain(|path, _| !path.contains("/.infra"));
    assert!(after.iter().all(|(path, state)| before.get(path) == Some(state)), "{after:?}");
}

#[test]
fn no_start_stops_short_and_start_goes_on() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["setup", "--no-start"]).end().ok().shows("not started");
    assert_eq!(project.state("db"), "gone");
    project.xtask(["start"]).end().ok();
    assert_eq!(project.state("db"), "running");
}

#[test]
fn a_dry_run_writes_and_starts_nothing() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    for files in [&[][..], &[(".env", "DB_PASSWORD=dry-run-canary\n")]] {
        for (path, text) in files {
            project.write(path, text);
        }
        let before = everything(project.dir());
        let ended = project.xtask(["setup", "--yes", "--dry-run"]).end();
        ended.ok().never_says("canary");
        assert!(!ended.stdout.is_empty(), "it says what it would do: {ended}");
        assert_eq!(everything(project.dir()), before);
        assert!(project.containers("").is_empty());
    }
    project.xtask(["setup", "--dry-run"]).end().ok().shows("docker compose").shows(" up --no-start");
}

#[test]
fn with_no_engine_it_chooses_a_local_database_and_keeps_to_it() {
    let Some(_postgres) = postgres() else { return };
    let project = shop();
    let ended = project.xtask(["setup", "--yes"]).env(NO_ENGINE.0, NO_ENGINE.1).end();
    ended.ok().says("continuing without services, with a local database").shows("no services run");
    let chosen = record(&project);
    assert_eq!((&chosen["services"], &chosen["database"]), (&"none".into(), &"local".into()));
    project.xtask(["db-shell", "-c", "select 1"]).env(NO_ENGINE.0, NO_ENGINE.1).end().ok();
    project.xtask(["health"]).env(NO_ENGINE.0, NO_ENGINE.1).end().ok();
    let Some(_engine) = engine() else { return };
    // The engine is back. Nobody but the user moves the data somewhere else.
    project.xtask(["setup", "--yes"]).end().ok();
    assert_eq!(record(&project)["services"], "none");
    assert_eq!(project.state("db"), "gone");
    let ended = project.xtask(["setup", "--yes", "--services", "compose", "--database", "service"]).end();
    ended.ok().shows("one of them is the database");
    assert_eq!(project.state("db"), "running");
    project.xtask(["clean", "--all", "--yes"]).end().ok();
}

#[test]
fn an_engine_that_was_there_yesterday_is_not_replaced_by_an_empty_database() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["setup", "--yes"]).end().ok();
    let before = project.read(".infra/setup.json");
    for command in [&["setup", "--yes"][..], &["start"], &["db-shell", "-c", "select 1"]] {
        project.xtask(command).env(NO_ENGINE.0, NO_ENGINE.1).end().code(69).says(NO_ENGINE.1);
    }
    assert_eq!(project.read(".infra/setup.json"), before);
    // Pinned in infra.toml it is the same, also on a new laptop.
    let fresh = shop().file("infra.toml", "[compose]\nservices = \"compose\"\n");
    fresh.xtask(["setup", "--yes"]).env(NO_ENGINE.0, NO_ENGINE.1).end().code(69).says(NO_ENGINE.1);
    assert!(!fresh.path(".infra/setup.json").exists());
}

#[test]
fn without_a_record_no_other_command_chooses() {
    let Some(()) = compose() else { return };
    let project = shop().file(".env", "DB_PASSWORD=fixture-password\n");
    for command in [&["start"][..], &["stop"], &["ps"], &["db-shell", "-c", "select 1"], &["clean", "--yes"]] {
        project.xtask(command).env(NO_ENGINE.0, NO_ENGINE.1).end().code(69).says(NO_ENGINE.1);
    }
    assert!(!project.path(".infra/setup.json").exists());
}

#[test]
fn the_axes_can_be_chosen() {
    let project = shop();
    let call = |words: &[&str]| project.xtask(["setup", "--yes", "--no-start"].iter().chain(words)).end();
    call(&["--services", "none", "--database", "service"])
        .code(64)
        .says("without services, the database cannot be a service");
    call(&["--services", "podman"]).code(64).says("compose");
    call(&["--database", "urrl"]).code(64).says("url");
    assert!(!project.path(".infra/setup.json").exists(), "a choice that cannot be is not recorded");
    let Some(_postgres) = postgres() else { return };
    call(&["--services", "none"]).ok();
    assert_eq!(record(&project)["database"], "local");
    let Some(_engine) = engine() else { return };
    // Services by Compose, the database beside them.
    call(&["--services", "compose", "--database", "local"]).ok();
    assert_eq!((&record(&project)["services"], &record(&project)["database"]), (&"compose".into(), &"local".into()));
}

#[test]
fn a_taken_port_is_moved_in_the_env_file_and_nothing_else() {
    let Some(_ss) = tool("ss") else { return };
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.write(".env.example", "# ports\nDB_PORT=@port:db@ # on this machine\nDB_PASSWORD=\n");
    let _listener = std::net::TcpListener::bind(("127.0.0.1", project.port("db"))).unwrap();
    let ended = project.xtask(["setup", "--yes"]).end();
    ended.ok().shows("moved `db` to port").shows(&format!("{} is taken by ", project.port("db")));
    ended.shows(&format!("process {}", std::process::id()));
    let text = project.read(".env");
    assert!(text.starts_with("# ports\nDB_PORT=") && text.contains(" # on this machine\n"), "{text}");
    assert!(!text.contains(&format!("DB_PORT={} ", project.port("db"))), "{text}");
    project.xtask(["setup", "--yes"]).end().ok().never_says("moved");
    // One that is no variable cannot be moved; the line that would make it one is named.
    let stuck = TestProject::new().compose(&format!("services:{DATABASE}    ports: ['127.0.0.1:@port:db@:5432']\n"));
    let _listener = std::net::TcpListener::bind(("127.0.0.1", stuck.port("db"))).unwrap();
    stuck.xtask(["setup", "--yes"]).end().code(1).says(&format!("${{DB_PORT:-{}}}:5432", stuck.port("db")));
    assert!(stuck.containers("").is_empty());
}

#[test]
fn a_setup_that_was_killed_goes_on_where_it_was() {
    let Some(_engine) = engine() else { return };
    for moment in ["checking this machine", "starting db"] {
        let project = shop();
        let running = project.xtask(["setup", "--yes"]).spawn();
        running.until(moment);
        running.signal(Signal::KILL);
        running.wait().code(137);
        let text = project.path(".env").exists().then(|| project.read(".env"));
        project.xtask(["setup", "--yes"]).end().ok();
        assert!(text.is_none_or(|text| project.read(".env") == text), "after {moment}");
        project.xtask(["db-shell", "-c", "select 1"]).end().ok();
    }
}

#[test]
fn i02_under_cron_and_without_a_terminal_it_is_the_same() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["setup", "--yes", "--quiet"]).cron().end().ok();
    project.xtask(["setup", "--yes", "--quiet"]).cron().end().ok().silent();
    project.xtask(["health", "--quiet"]).cron().end().ok().silent();
}

#[test]
fn a_machine_with_neither_says_what_to_install() {
    let project = shop();
    let fakes = Fakes::new();
    let path = fakes.path_without(&["docker", "docker-compose", "initdb", "pg_ctl", "postgres", "psql", "pg_config"]);
    let ended = project.xtask(["setup", "--yes"]).env("PATH", path).env(NO_ENGINE.0, NO_ENGINE.1).end();
    // PostgreSQL is also found where distributions put it.
    if ended.exit != 0 {
        ended.code(69).says("setup --install");
    }
}
