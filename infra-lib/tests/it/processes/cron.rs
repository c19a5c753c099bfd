//! Runs without a terminal, under cron, and at the same time.
//!
//! I10, a job that never runs, is in `schedule/`.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

use super::{never_ready, one, shop, wait_for_state};

#[test]
fn i01_overlapping_runs_are_75_and_name_the_other() {
    let Some(_engine) = engine() else { return };
    let project = never_ready();
    let first = project.xtask(["start"]).spawn();
    wait_for_state(&project, "db", "running");
    for words in [&["stop"][..], &["clean", "--yes"]] {
        let ended = project.xtask(words).end();
        ended.code(75).says(&format!("`start`, process {}", first.pid())).says("hint: ");
        assert!(ended.took < Duration::from_secs(45), "{ended}");
    }
    first.signal(Signal::KILL);
    first.wait().code(137);
    let ended = project.xtask(["stop"]).end();
    ended.ok();
    assert!(ended.took < Duration::from_secs(60), "a lock ends with its process: {ended}");
}

#[test]
fn i02_the_same_under_cron() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).cron().end().ok().shows("ready after");
    let sql = "select current_database(), current_user";
    for words in [&["ps", "--json"][..], &["describe", "--json"], &["db-shell", "-c", sql], &["health", "-q"]] {
        let plain = project.xtask(words).end();
        let cron = project.xtask(words).cron().end();
        assert_eq!(comparable(&cron), comparable(&plain), "{words:?}");
    }
    project.xtask(["start"]).cron().env("LC_ALL", "tr_TR.UTF-8").env("LANG", "xx_XX").end().ok();
    project.xtask(["stop"]).cron().end().ok().shows("stopped ");
}

/// What a call said, without what passes by itself: ages, percentages.
pub(super) fn comparable(ended: &Ended) -> (i32, String, String) {
    let still = |text: &str| {
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        json.map_or_else(
            || text.to_owned(),
            |mut json| {
                forget(&mut json);
                json.to_string()
            },
        )
    };
    (ended.exit, still(&ended.stdout), still(&ended.stderr))
}

fn forget(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(map) => {
            map.retain(|key, _| {
                !matches!(key.as_str(), "since" | "duration_ms" | "took_ms" | "detail" | "uptime" | "at")
            });
            map.values_mut().for_each(forget);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn i02_a_program_that_is_not_on_path_is_69_and_the_path_is_named() {
    let project = one();
    let empty = tempfile::tempdir().unwrap();
    let ended = project.xtask(["start"]).env("PATH", empty.path()).end();
    ended.code(69).says("was found on PATH").says(empty.path().to_str().unwrap());
    project.xtask(["start"]).env_remove("PATH").end().code(69);
    project.xtask(["ps"]).env("PATH", "").end().code(69);
}

#[test]
fn i03_children_get_a_terminal_only_where_there_is_one() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let probe = ["exec", "web", "--", "sh", "-c", "test -t 1 && echo terminal || echo pipe"];
    project.xtask(probe).no_tty().stdout("pipe\n").check();
    project.xtask(probe).end().ok().shows("pipe");
    let pty = project.xtask(probe).pty([]).end();
    assert_eq!(pty.ok().stdout, "terminal\r\n");
    // A terminal would turn LF into CR LF and drop some bytes altogether.
    let bytes = "a\r\nb\u{3}\u{4}\u{11}\u{13}c\n";
    project.xtask(["exec", "web", "--", "cat"]).input(bytes).stdout(bytes).check();
    let sql = "select 'a' || chr(10) || 'b'; select repeat('x', 70000)";
    let (plain, none) =
        (project.xtask(["db-shell", "-c", sql]).end(), project.xtask(["db-shell", "-c", sql]).no_tty().end());
    assert_eq!(plain.ok().stdout, none.ok().stdout);
    assert!(!plain.stdout.contains('\r') && plain.stdout.len() > 70000);
}

#[test]
fn i04_quiet_success_says_nothing_and_failure_is_short() {
    let Some(_engine) = engine() else { return };
    let project = one();
    for words in [
        &["setup", "--yes", "-q"][..],
        &["start", "-q"],
        &["health", "-q"],
        &["restart", "-q"],
        &["stop", "-q"],
        &["clean", "--yes", "-q"],
    ] {
        project.xtask(words).cron().check();
    }
    project.write(
        "compose.yml",
        "services:\n  web: {image: @image@, entrypoint: [sh, -c, \"seq 100; exit 3\"]}\n  api: {image: @image@, entrypoint: [sh, -c, 'seq 100; exit 4']}\n",
    );
    let ended = project.xtask(["start", "-q"]).cron().end();
    ended.code(2);
    let lines = ended.stdout.lines().count() + ended.stderr.lines().count();
    assert!((1..=20).contains(&lines), "{lines} lines: {ended}");
    project.write("compose.yml", "services: {web: {image: 'it-nowhere/it-nothing:1', pull_policy: never}}\n");
    let ended = project.xtask(["start", "-q"]).cron().end();
    ended.code(69);
    assert!((1..=20).contains(&ended.stderr.lines().count()) && ended.stdout.is_empty(), "{ended}");
}
