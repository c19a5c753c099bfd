//! I: cron, processes, signals.
//!
//! I10 (a job that never runs) is in `schedule/`, with F13.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

/// A stack that is up in a second: a service, and a database.
fn shop() -> TestProject {
    TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}{DATABASE}"))
}

/// A stack of one service that is up at once.
fn one() -> TestProject {
    TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}\n"))
}

/// A stack that is never ready, whose start waits for its second service in Compose itself.
fn never_ready() -> TestProject {
    let never = "image: @image@, entrypoint: [sleep, infinity], init: true, \
                 healthcheck: {test: [CMD, 'false'], start_period: 300s, interval: 300s}";
    TestProject::new().compose(&format!(
        "services:\n  db: {{{never}}}\n  web: {{{SLEEPS}, depends_on: {{db: {{condition: service_healthy}}}}}}\n"
    ))
}

#[track_caller]
fn wait_for_state(project: &TestProject, service: &str, state: &str) {
    wait_until(&format!("{service} is {state}"), Duration::from_secs(40), || match project.state(service) {
        found if found == state => Ok(()),
        found => Err(found),
    });
}

#[test]
fn i01_overlapping_runs_are_75_and_name_the_other() {
    let Some(_engine) = engine() else { return };
    let project = never_ready();
    let first = project.xtask(["start"]).spawn();
    wait_for_state(&project, "db", "running");
    for words in [&["stop"][..], &["clean", "--yes"]] {
        let ended = project.xtask(words).end();
        ended.code(75).says(&format!("`start`, process {}", first.pid())).says("hint: ");
        assert!(ended.took < Duration::from_secs(15), "{ended}");
    }
    first.signal(Signal::KILL);
    first.wait().code(137);
    let ended = project.xtask(["stop"]).end();
    ended.ok();
    assert!(ended.took < Duration::from_secs(9), "a lock ends with its process: {ended}");
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
fn comparable(ended: &Ended) -> (i32, String, String) {
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

/// The three signals that ask a program to end, with their exit codes.
const SIGNALS: [(Signal, i32); 3] = [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)];

/// Signals a running command and holds what must then be true: the code of the signal, within five seconds, nothing left.
#[track_caller]
fn ends_well(running: Running, (number, code): (Signal, i32)) -> Ended {
    let began = Instant::now();
    running.signal(number);
    let ended = running.wait();
    ended.code(code);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?} after {number:?}: {ended}", began.elapsed());
    let mark = ended.mark.clone();
    wait_until("nothing is left behind", Duration::from_secs(5), || match &survivors(&mark)[..] {
        [] => Ok(()),
        left => Err(format!("{left:?}")),
    });
    ended
}

#[test]
fn i05_a_signal_while_compose_starts() {
    let Some(_engine) = engine() else { return };
    let project = never_ready();
    for signal in SIGNALS {
        let running = project.xtask(["start"]).spawn();
        running.until("starting");
        wait_for_state(&project, "db", "running");
        ends_well(running, signal);
        project.xtask(["stop"]).end().ok();
    }
}

#[test]
fn i05_a_signal_while_waiting_for_readiness() {
    let Some(_engine) = engine() else { return };
    let never = "image: @image@, entrypoint: [sleep, infinity], init: true, \
                 healthcheck: {test: [CMD, 'false'], start_period: 300s, interval: 300s}";
    let project = TestProject::new().compose(&format!("services:\n  web: {{{never}}}\n"));
    for signal in SIGNALS {
        let running = project.xtask(["start"]).spawn();
        wait_for_state(&project, "web", "running");
        thread::sleep(Duration::from_millis(700));
        ends_well(running, signal).says("still running: web");
    }
    let running = project.xtask(["restart"]).spawn();
    running.until("restarting");
    thread::sleep(Duration::from_millis(700));
    ends_well(running, SIGNALS[1]);
}

#[test]
fn i05_a_signal_while_waiting_for_a_lock() {
    let Some(_engine) = engine() else { return };
    let project = never_ready();
    let first = project.xtask(["start"]).spawn();
    wait_for_state(&project, "db", "running");
    for signal in SIGNALS {
        let running = project.xtask(["stop", "-v"]).spawn();
        thread::sleep(Duration::from_millis(500));
        ends_well(running, signal);
    }
    ends_well(first, SIGNALS[0]);
}

#[test]
fn i05_a_signal_while_stopping() {
    let Some(_engine) = engine() else { return };
    let slow = "image: @image@, entrypoint: [sh, -c, \"trap 'sleep 20; exit 0' TERM INT; sleep 999 & wait\"], \
                healthcheck: {test: [CMD, 'true'], start_period: 60s, start_interval: 100ms}";
    let project = TestProject::new().compose(&format!("services:\n  web: {{{slow}}}\n"));
    for signal in [SIGNALS[0], SIGNALS[1]] {
        project.xtask(["start"]).end().ok();
        let running = project.xtask(["stop"]).spawn();
        running.until("stopping");
        thread::sleep(Duration::from_millis(500));
        ends_well(running, signal);
        docker(["kill", &project.container("web")]);
    }
}

#[test]
fn i05_a_signal_while_building() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {web: {build: .}}\n")
        .file("Dockerfile", "FROM @image@\nRUN echo @name@ begins && sleep 60\n");
    for words in [&["build"][..], &["setup", "--yes"], &["start"]] {
        let running = project.xtask(words).arg("-v").spawn();
        running.until("begins");
        ends_well(running, SIGNALS[1]);
    }
}

#[test]
fn i05_a_signal_while_something_goes_on() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    for words in [&["logs", "-f"][..], &["health", "--watch"], &["stats", "--watch"], &["logs", "-f", "db", "--json"]] {
        let help = project.xtask(["help", words[0]]).end();
        if words.contains(&"--watch") && !help.stdout.contains("--watch") {
            continue;
        }
        for signal in SIGNALS {
            let running = project.xtask(words).spawn();
            thread::sleep(Duration::from_millis(1200));
            ends_well(running, signal);
        }
    }
}

#[test]
fn i05_ctrl_c_at_a_terminal_ends_a_query_and_leaves_nothing() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let sql = "select pg_sleep(60)";
    let began = Instant::now();
    let mut running = project.xtask(["db-shell", "-c", sql]).pty([]).spawn();
    wait_until("the query runs", Duration::from_secs(20), || match active(&project, sql) {
        1 => Ok(()),
        count => Err(format!("{count} queries")),
    });
    running.type_in("\u{3}");
    let ended = running.wait();
    ended.code(130);
    assert!(began.elapsed() < Duration::from_secs(30), "{ended}");
    wait_until("its backend is gone", Duration::from_secs(10), || match active(&project, sql) {
        0 => Ok(()),
        count => Err(format!("{count} queries")),
    });
}

#[test]
fn i05_a_signal_ends_what_has_the_terminal() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let sql = "select pg_sleep(50)";
    for signal in SIGNALS {
        let running = project.xtask(["exec", "web", "--", "sleep", "30"]).spawn();
        thread::sleep(Duration::from_millis(700));
        ends_well(running, signal);
        let running = project.xtask(["db-shell", "-c", sql]).spawn();
        wait_until("the query runs", Duration::from_secs(20), || match active(&project, sql) {
            1 => Ok(()),
            count => Err(format!("{count} queries")),
        });
        ends_well(running, signal);
        assert_eq!(active(&project, sql), 0, "its backend is gone");
    }
}

#[test]
fn i05_ctrl_c_in_a_session_is_the_sessions() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let mut running = project.xtask(["db-shell"]).pty([]).spawn();
    running.until("=#");
    running.type_in("\\pset pager off\r");
    running.until("Pager usage is off");
    for _ in 0..3 {
        running.type_in("select pg_sleep(30);\r");
        wait_until("the query runs", Duration::from_secs(20), || match active(&project, "select pg_sleep(30)") {
            1 => Ok(()),
            count => Err(format!("{count} queries")),
        });
        running.type_in("\u{3}");
        wait_until("the query is cancelled", Duration::from_secs(20), || {
            match active(&project, "select pg_sleep(30)") {
                0 => Ok(()),
                count => Err(format!("{count} queries")),
            }
        });
    }
    running.type_in("select 'still ' || 'here';\r");
    running.until("still here");
    running.type_in("\\q\r");
    running.wait().code(0);
}

/// How many backends run this.
fn active(project: &TestProject, sql: &str) -> usize {
    let query = format!("select count(*) from pg_stat_activity where query like '{sql}%' and state = 'active'");
    let ended = project.xtask(["db-shell", "-c", &query, "--", "-At"]).end();
    ended.ok().stdout.trim().parse().unwrap()
}

#[test]
fn i05_a_second_signal_ends_at_once() {
    let project = one();
    // A child that does not want to end.
    let stubborn = "case \"$*\" in *config*) trap '' TERM INT HUP; echo begun >&2; sleep 30 & wait; wait;; esac";
    let fakes = Fakes::new().program("docker", &format!("{stubborn}\nexit 0"));
    for (number, code) in SIGNALS {
        let running = project.xtask(["start", "-v"]).env("PATH", fakes.path()).spawn();
        running.until("+ ");
        thread::sleep(Duration::from_millis(300));
        running.signal(number);
        thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        running.signal(number);
        let ended = running.wait();
        ended.code(code);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}: {ended}", began.elapsed());
        let mark = ended.mark.clone();
        wait_until("nothing is left behind", Duration::from_secs(5), || match &survivors(&mark)[..] {
            [] => Ok(()),
            left => Err(format!("{left:?}")),
        });
    }
}

#[test]
fn i05_one_signal_ends_a_stubborn_child_too() {
    let project = one();
    let stubborn = "case \"$*\" in *config*) trap '' TERM INT HUP; sleep 30 & wait; wait;; esac";
    let fakes = Fakes::new().program("docker", &format!("{stubborn}\nexit 0"));
    let running = project.xtask(["start", "-v"]).env("PATH", fakes.path()).spawn();
    running.until("+ ");
    thread::sleep(Duration::from_millis(300));
    ends_well(running, SIGNALS[0]);
}

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
    for limits in ["-n 20", "-n 12", "-n 8", "-f 0"] {
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
