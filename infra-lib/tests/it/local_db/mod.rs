//! The local database: a cluster of the project's own, where there is no engine.

mod faults;
mod init;
mod places;
mod temp;

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::*;

/// A project without services.
fn project() -> TestProject {
    TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n")
}

/// The same, with a database in it.
fn set_up() -> TestProject {
    let project = project();
    project.xtask(["setup", "--yes"]).end().ok();
    project
}

/// The folder of an environment's cluster.
fn home_of(project: &TestProject, environment: &str) -> PathBuf {
    let record: serde_json::Value = serde_json::from_str(&project.read(".infra/setup.json")).unwrap();
    project.path(record["local"][environment]["dir"].as_str().expect("a recorded cluster"))
}

fn home(project: &TestProject) -> PathBuf {
    home_of(project, "development")
}

/// The port that is recorded.
fn recorded_port(project: &TestProject) -> u16 {
    let record: serde_json::Value = serde_json::from_str(&project.read(".infra/setup.json")).unwrap();
    record["local"]["development"]["port"].as_u64().unwrap().try_into().unwrap()
}

/// The server's process.
fn server(project: &TestProject) -> i32 {
    let text = std::fs::read_to_string(home(project).join("data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// The processes that work in or below a folder.
fn processes_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let inside = |path: &PathBuf| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    entries.filter(inside).map(|path| path.display().to_string()).collect()
}

/// What a query answers.
#[track_caller]
fn ask(project: &TestProject, sql: &str) -> String {
    let ended = project.xtask(["db-shell", "-c", sql]).end();
    ended.ok();
    // Below the heading and its line.
    ended.stdout.lines().nth(2).unwrap_or_default().trim().to_owned()
}

#[track_caller]
fn execute(project: &TestProject, sql: &str) {
    project.xtask(["db-shell", "-c", sql]).end().ok();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Who has no rights at all.
const NOBODY: u32 = 65534;

/// Gives a project to a user without rights; `false`, with a word about it, where that cannot be done.
fn give_to_nobody(project: &TestProject) -> bool {
    // A test binary below a private folder cannot be started by anybody else.
    let binary = std::env::current_exe().unwrap();
    let reachable = command("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x"])
        .arg(&binary)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_root() || !reachable {
        let _ = std::io::stderr().write_all(b"left out: this needs root, and a target folder that others may enter\n");
        return false;
    }
    let mut folders = vec![project.dir().to_owned()];
    while let Some(path) = folders.pop() {
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        if path.is_dir() {
            folders.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    true
}

/// A project that belongs to nobody, and calls as that user.
fn of_nobody(project: TestProject) -> Option<TestProject> {
    let project = project.open_to_all();
    give_to_nobody(&project).then(|| {
        let home = project.dir().to_owned();
        project.env("HOME", home)
    })
}

#[test]
fn one_command_makes_a_database_and_a_second_run_changes_nothing() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let first = project.xtask(["setup", "--yes"]).end();
    first.ok().says("creating a local database").shows("database: postgres://");
    assert_eq!(ask(&project, "SELECT 1"), "1");
    let name = project.name().replace('-', "_");
    assert_eq!(ask(&project, "SELECT current_database()"), name);
    assert_eq!(ask(&project, "SELECT current_user"), name);
    assert_eq!(ask(&project, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "t");
    for (setting, value) in [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("TimeZone", "UTC"),
        ("password_encryption", "scram-sha-256"),
    ] {
        assert_eq!(ask(&project, &format!("SHOW \"{setting}\"")), value, "{setting}");
    }
    execute(&project, "CREATE TABLE kept AS SELECT 42 AS answer");
    let before = (server(&project), project.read(".infra/setup.json"));
    let second = project.xtask(["setup", "--yes"]).end();
    second.ok().never_says("creating a local");
    assert_eq!((server(&project), project.read(".infra/setup.json")), before);
    assert_eq!(ask(&project, "SELECT answer FROM kept"), "42");
}

#[test]
fn f17_stop_lets_the_server_write_everything_and_says_so() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    execute(&project, "CREATE TABLE kept AS SELECT generate_series(1, 100000) AS n");
    let home = home(&project);
    let stopped = project.xtask(["stop"]).end();
    stopped.ok().says("the local database shut down cleanly").shows("stopped local database");
    assert_eq!(processes_in(&home), [""; 0]);
    project.xtask(["stop"]).stdout("nothing was running\n").check();
    project.xtask(["start"]).end().ok().says("starting the local database");
    project.xtask(["start"]).end().ok().never_says("starting the local database");
    assert_eq!(ask(&project, "SELECT count(*) FROM kept"), "100000");
    let log = std::fs::read_to_string(home.join("server.log")).unwrap();
    assert!(!log.contains("automatic recovery"), "{log}");
}

#[test]
fn clean_leaves_nothing_and_start_does_not_make_an_empty_one() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let home = home(&project);
    project.xtask(["clean", "--all", "--yes"]).end().ok().shows("local database");
    assert_eq!(processes_in(&home), [""; 0]);
    assert!(!home.exists(), "{} is still there", home.display());
    let start = project.xtask(["start", "--json"]).end();
    start.code(69);
    assert!(start.error()["hint"].as_str().unwrap().contains("cargo xtask setup"), "{start}");
    assert!(!home.exists());
}

#[test]
fn a_dry_run_makes_nothing() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let dry = project.xtask(["setup", "--yes", "--dry-run"]).end();
    dry.ok().shows("initdb -D data.new").shows("pg_ctl start").shows("# start the local database");
    let outside = std::fs::read_dir("/var/lib/infra").into_iter().flatten().flatten();
    let name = project.name().to_owned();
    assert_eq!(outside.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name)).count(), 0);
    assert!(!project.path(".infra/postgres").exists() && !project.path(".infra/setup.json").exists());
}

#[test]
fn s01_the_password_is_in_nobodys_command_line_and_in_no_output() {
    let Some(_postgres) = postgres() else { return };
    let canary = "Zanary_4f7c1b9e_password";
    let project = project().file(".env", &format!("DB_PASSWORD={canary}\n"));
    let sampler = Sampler::watch(&[canary]);
    let setup = project.xtask(["setup", "--yes", "-v"]).end();
    let stop = project.xtask(["stop", "-v"]).end();
    let start = project.xtask(["start", "-v"]).end();
    let seen = sampler.finish();
    for ended in [&setup, &stop, &start] {
        ended.ok().never_says(canary);
    }
    assert!(seen.rounds > 20, "{seen:?}");
    assert_eq!(seen.hits.into_iter().collect::<Vec<_>>(), [""; 0]);
    // Nor in any file of the cluster but the one that hashes it.
    let found = command("grep").args(["-rlaF", canary]).arg(home(&project)).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn s06_a_generated_password_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.xtask(["setup", "--yes"]).umask("000").end().ok();
    let home = home(&project);
    for (file, mode) in [("password", 0o600), ("server.log", 0o600), ("data", 0o700)] {
        assert_eq!(home.join(file).metadata().unwrap().mode() & 0o777, mode, "{file}");
    }
    assert_eq!(project.path(".infra").metadata().unwrap().mode() & 0o777, 0o700);
    assert!(!home.join("pwfile").exists());
}

#[test]
fn e11_a_password_that_the_cluster_was_not_made_with_is_refused() {
    let Some(_postgres) = postgres() else { return };
    let project = project().file(".env", "DB_PASSWORD=first_password_of_all\n");
    project.xtask(["setup", "--yes"]).end().ok();
    project.write(".env", "DB_PASSWORD=another_password_now\n");
    let start = project.xtask(["start", "--json"]).end();
    start.code(77).never_says("another_password_now");
    assert!(start.error()["hint"].as_str().unwrap().contains("password"), "{start}");
}

#[test]
fn i09_the_callers_pg_variables_do_not_redirect_anything() {
    let Some(_postgres) = postgres() else { return };
    let project = project()
        .env("PGHOST", "evil.invalid")
        .env("PGPORT", "1")
        .env("PGDATABASE", "template1")
        .env("PGUSER", "evil")
        .env("PGOPTIONS", "-c search_path=evil")
        .env("PGDATA", "/nonexistent")
        .env("PGSERVICE", "evil");
    project.xtask(["setup", "--yes"]).end().ok();
    assert_eq!(ask(&project, "SHOW search_path"), "\"$user\", public");
    project.xtask(["stop"]).end().ok();
}

#[test]
fn b_any_name_works() {
    let Some(_postgres) = postgres() else { return };
    let toml = "[project]\nname = \"@name@\"\n[database]\nname = \"we\\\"ird 'né$(x) \\\\ -d\"\nuser = \"-us er ü\"\n";
    let project = TestProject::new().file("infra.toml", toml);
    project.xtask(["setup", "--yes"]).end().ok();
    assert_eq!(ask(&project, "SELECT current_database()"), "we\"ird 'né$(x) \\ -d");
    assert_eq!(ask(&project, "SELECT current_user"), "-us er ü");
    let quoted = TestProject::new().file("infra.toml", "[database]\nuser = \"a'b\"\n");
    quoted.xtask(["setup", "--yes"]).end().code(78).says("a local database cannot be created for the user");
    let long = TestProject::new().file("infra.toml", &format!("[database]\nname = \"{}\"\n", "x".repeat(64)));
    long.xtask(["setup", "--yes"]).end().code(64);
    assert_eq!(File::open(long.path(".infra/setup.json")).map(drop).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn the_servers_log_is_shown_and_followed() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let logs = project.xtask(["logs", "--tail", "20"]).end();
    logs.ok().shows("database (local) | ").shows("database system is ready to accept connections").never_says(" UTC [");
    let grep = project.xtask(["logs", "--grep", "listening", "--json"]).end();
    let lines = grep.outcome()["lines"].clone();
    assert!(lines[0]["time"].as_str().unwrap().starts_with("20"), "{lines}");
    project.xtask(["logs", "--since", "2099-01-01T00:00:00Z"]).check();
    let following = project.xtask(["logs", "-f", "--tail", "1"]).spawn();
    following.until("database (local)");
    project.xtask(["db-shell", "-c", "DO $$ BEGIN RAISE WARNING 'canary in the log'; END $$"]).end().ok();
    following.until("canary in the log");
    following.signal(rustix::process::Signal::INT);
    let ended = following.wait();
    ended.code(130);
    assert_eq!(survivors(&ended.mark), [""; 0]);
}

#[test]
fn a_url_without_its_password_is_all_that_is_shown() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let password = std::fs::read_to_string(home(&project).join("password")).unwrap();
    let start = project.xtask(["start", "--json"]).end();
    let name = project.name().replace('-', "_");
    let url = format!("database: postgres://{name}@127.0.0.1:{}/{name}", recorded_port(&project));
    assert_eq!(start.outcome()["urls"][0], url);
    for args in [&["start", "-v"][..], &["describe"], &["ps", "--json"], &["health"], &["logs"]] {
        project.xtask(args.iter().copied()).end().ok().never_says(&password);
    }
}
