//! INT, TERM and HUP at any time.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

use super::{never_ready, one, shop, wait_for_state};

/// The three signals that ask a program to end, with their exit codes.
const SIGNALS: [(Signal, i32); 3] = [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)];

/// Signals a running command and holds what must then be true: the code of the signal, within five seconds, nothing left.
#[track_caller]
fn ends_well(running: Running, (number, code): (Signal, i32)) -> Ended {
    let began = Instant::now();
    running.signal(number);
    let ended = running.wait();
    ended.code(code);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?} after {number:?}: {ended}", began.elapsed());
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
        running.until("starting web");
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
    assert!(began.elapsed() < Duration::from_secs(90), "{ended}");
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
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}: {ended}", began.elapsed());
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
