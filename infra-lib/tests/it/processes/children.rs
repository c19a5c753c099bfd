//! Pipes, stdin, hanging children, hostile variables, kills and limits.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

use super::cron::comparable;
use super::{never_ready, one, shop, wait_for_state};

#[test]
fn i06_a_closed_pipe_changes_no_result() {
    let Some(_engine) = engine() else { return };
    let project = one();
    for end in ["1>&-", "2>&-", "1>&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full", "<&-"] {
        let ended = project.xtask(["start", "-v"]).shell(&format!("exec {end}")).end();
        assert_eq!(ended.exit, 0, "{end}: {ended}");
        assert_eq!(project.state("web"), "running", "{end}");
        for words in [&["ps"][..], &["help"], &["describe", "--json"], &["logs"], &["completions", "bash"]] {
            let ended = project.xtask(words).shell(&format!("exec {end}")).end();
            assert_eq!(ended.exit, 0, "{end}: {ended}");
        }
        project.xtask(["stop"]).shell(&format!("exec {end}")).end().ok();
        // A failure stays one as well.
        project.xtask(["logs", "nothing"]).shell(&format!("exec {end}")).end().code(66);
    }
    for words in ["help", "ps", "completions bash", "describe --json"] {
        let head = ["sh", "-c", "\"$@\" | head -c 1; exit 0", "sh"];
        let ended = project.xtask(words.split(' ')).inside(head).end();
        assert_eq!(ended.stderr, "", "{ended}");
    }
}

#[test]
fn i07_the_callers_input_is_left_to_the_caller() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let each = "while read -r line; do \"$@\" >&2 || exit 9; echo \"$line\"; done";
    for words in [
        &["ps", "-q"][..],
        &["start", "-q"],
        &["describe", "-q"],
        &["health", "-q"],
        &["logs", "-q", "--tail", "1"],
        &["db-shell", "-c", "select 1"],
        &["env", "check", "-q"],
        &["df", "-q"],
        &["doctor", "-q"],
        &["stop", "-q"],
    ] {
        let ended = project.xtask(words).inside(["sh", "-c", each, "sh"]).input("a\nb\nc\n").end();
        if ended.exit == 9 {
            // What the command says is not the question here, only what it reads; one line was read by then.
            continue;
        }
        assert_eq!(ended.stdout, "a\nb\nc\n", "{words:?}: {ended}");
    }
}

#[test]
fn i08_a_frozen_engine_ends_in_time() {
    let Some(_engine) = engine() else { return };
    let project = one();
    let (address, _folder) = frozen_engine();
    let commands: [&[&str]; 6] =
        [&["start"], &["ps"], &["stop"], &["clean", "--yes"], &["health"], &["exec", "web", "--", "true"]];
    thread::scope(|scope| {
        for words in commands {
            let call = project.xtask(words).env("DOCKER_HOST", &address).limit(Duration::from_secs(90));
            scope.spawn(move || {
                let ended = call.end();
                assert!([2, 69, 75].contains(&ended.exit), "{ended}");
            });
        }
    });
}

#[test]
fn i08_a_frozen_child_ends_in_time() {
    let project = one();
    let fakes = Fakes::new().program("docker", "kill -STOP $$");
    let ended = project.xtask(["ps"]).env("PATH", fakes.path()).limit(Duration::from_secs(90)).end();
    assert!([69, 75].contains(&ended.exit), "{ended}");
    assert_eq!(survivors(&ended.mark), [] as [&str; 0]);
}

/// Variables that would redirect Compose, PostgreSQL's tools, a shell or the loader, were they followed.
const HOSTILE: [(&str, &str); 22] = [
    ("PGHOST", "evil.invalid"),
    ("PGPORT", "1"),
    ("PGUSER", "evil"),
    ("PGDATABASE", "evil"),
    ("PGPASSWORD", "evil"),
    ("PGPASSFILE", "/dev/null"),
    ("PGSERVICE", "evil"),
    ("PGSERVICEFILE", "/dev/null"),
    ("PGOPTIONS", "-c search_path=evil"),
    ("PGSSLMODE", "verify-full"),
    ("PGAPPNAME", "evil"),
    ("PGTZ", "Asia/Tokyo"),
    ("PSQLRC", "/dev/full"),
    ("COMPOSE_FILE", "/nowhere/compose.yml"),
    ("COMPOSE_PROJECT_NAME", "evil"),
    ("COMPOSE_PROFILES", "evil"),
    ("COMPOSE_ENV_FILES", "/nowhere/.env"),
    ("COMPOSE_PATH_SEPARATOR", "/"),
    ("BASH_ENV", "/nowhere/evil"),
    ("ENV", "/nowhere/evil"),
    ("IFS", "/"),
    ("CDPATH", "/nowhere"),
];

#[test]
fn i09_s31_a_hostile_environment_changes_nothing() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    let hostile =
        |words: &[&str]| HOSTILE.iter().fold(project.xtask(words), |call, (key, value)| call.env(*key, *value));
    hostile(&["start"]).end().ok();
    let sql = "select current_database(), current_user, current_setting('search_path'), current_setting('TimeZone')";
    for words in [&["ps", "--json"][..], &["describe", "--json"], &["db-shell", "-c", sql], &["health", "-q"]] {
        let (plain, evil) = (project.xtask(words).end(), hostile(words).end());
        assert_eq!(comparable(&evil), comparable(&plain), "{words:?}");
    }
    hostile(&["stop"]).end().ok().shows("stopped db, web");
    hostile(&["clean", "--all", "--yes"]).end().ok();
    assert!(project.containers("").is_empty());
}

#[test]
fn i11_a_killed_command_leaves_nothing_after_the_next() {
    let Some(_engine) = engine() else { return };
    let project = never_ready();
    let running = project.xtask(["start"]).spawn();
    wait_for_state(&project, "db", "running");
    running.signal(Signal::KILL);
    let ended = running.wait();
    ended.code(137);
    let next = project.xtask(["stop"]).end();
    next.ok();
    for mark in [&ended.mark, &next.mark] {
        wait_until("nothing is left behind", Duration::from_secs(5), || match &survivors(mark)[..] {
            [] => Ok(()),
            left => Err(format!("{left:?}")),
        });
    }
}

#[test]
fn i12_narrow_limits_are_errors_and_no_panics() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    for limits in sample(&["-n 20", "-n 12", "-n 8", "-f 0"], 2) {
        for words in [&["ps"][..], &["describe"], &["health"], &["start"], &["doctor"], &["stop"], &["start"]] {
            let ended = project.xtask(words).limits(limits).end();
            assert!([0, 1, 2, 69, 73, 74].contains(&ended.exit), "{limits}: {ended}");
        }
    }
    project.xtask(["start"]).limits("-n 20").end().ok();
    project.xtask(["health"]).limits("-n 20").end().ok();
    // The journal cannot be written; the operation counts all the same.
    project.xtask(["stop"]).limits("-f 0").end().ok();
    assert_eq!(project.state("web"), "exited");
}
