//! The harness's own tests: a harness that sees nothing proves nothing. The `canary` tests pin what the fakes imitate to
//! the real programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

#[test]
fn a_project_is_gone_when_dropped_even_by_a_panic() {
    let Some(_engine) = engine() else { return };
    let mut seen = (String::new(), std::path::PathBuf::new());
    let result = catch_unwind(AssertUnwindSafe(|| {
        let project = TestProject::new().compose(&format!("services: {{web: {{{SLEEPS}}}}}\nvolumes: {{data: {{}}}}"));
        seen = (project.name().to_owned(), project.dir().to_owned());
        project.xtask(["start"]).end().ok();
        assert_eq!(project.state("web"), "running");
        panic!("on purpose");
    }));
    assert!(result.is_err());
    let label = format!("label=com.docker.compose.project={}", seen.0);
    for list in [&["ps", "-aq"][..], &["network", "ls", "-q"], &["volume", "ls", "-q"]] {
        assert_eq!(docker(list.iter().copied().chain(["--filter", &label])), "", "{list:?}");
    }
    assert!(!seen.1.exists());
}

#[test]
fn output_is_compared_exactly_and_empty_unless_stated() {
    let project = TestProject::new();
    let call = || project.xtask(["--version"]);
    let text = call().end().ok().stdout.clone();
    call().stdout(text).check();
    assert!(catch_unwind(AssertUnwindSafe(|| call().check())).is_err(), "unexpected output passed");
}

#[test]
fn a_call_that_does_not_end_fails_and_is_killed() {
    let project = TestProject::new();
    let began = Instant::now();
    let call = project.xtask(["help"]).shell("sleep 30").limit(Duration::from_millis(300));
    let result = catch_unwind(AssertUnwindSafe(|| call.end()));
    let message = *result.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("has not ended") && began.elapsed() < Duration::from_secs(60), "{message}");
}

#[test]
fn runners_differ_in_terminal_environment_and_folder() {
    let Some(_script) = tool("script") else { return };
    let project = TestProject::new();
    let probe = "test -t 0 && echo tty || echo none; pwd; env";
    let out = |call: Call| call.shell(probe).end().stdout;
    let plain = out(project.xtask(["help"]).env("X", "1"));
    assert!(plain.starts_with("none\n") && plain.contains("\nX=1\n"), "{plain}");
    assert!(!plain.contains("\nCARGO"), "the test runner's environment is not the user's: {plain}");
    let cron = out(project.xtask(["help"]).cron());
    assert!(cron.starts_with("none\n/\n") && cron.contains("\nPATH=/usr/bin:/bin\n"), "{cron}");
    let pty = out(project.xtask(["help"]).pty([]));
    assert!(pty.starts_with("tty\r\n"), "{pty}");
    let no_tty = project.xtask(["help"]).no_tty().shell("(: </dev/tty) 2>/dev/null && echo tty || echo none").end();
    assert!(no_tty.stdout.starts_with("none\n"), "{no_tty}");
}

/// A test that uses a program it did not declare fails wherever it runs.
#[test]
fn p29_a_program_is_there_once_a_guard_declares_it() {
    let project = TestProject::new();
    let finds = |program: &str| {
        let probe = format!("command -v {program} >/dev/null && echo found || echo missing");
        project.xtask(["help"]).shell(&probe).end().stdout.starts_with("found\n")
    };
    assert!(finds("sleep"), "every machine has it");
    assert!(!finds("docker") && !finds("psql") && !finds("make"));
    assert!(catch_unwind(|| command("make")).is_err(), "the tests' own calls as well");
    let Some(_make) = tool("make") else { return };
    assert!(finds("make") && !finds("docker"));
}

#[test]
fn a_signal_arrives_and_survivors_are_seen() {
    let project = TestProject::new();
    let running = project.xtask(["help"]).shell("sleep 20 & echo up; wait").spawn();
    running.until("up");
    assert_eq!(descendants(running.pid()).len(), 1);
    running.signal(Signal::TERM);
    let ended = running.wait();
    ended.code(143);
    let left = survivors(&ended.mark);
    assert!(matches!(&left[..], [line] if line.ends_with("sleep 20")), "{left:?}");
    let pid: i32 = left[0].split(' ').next().unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn the_sampler_sees_a_short_lived_secret() {
    let project = TestProject::new();
    let sampler = Sampler::watch(&["canary-in-argv"]);
    project.xtask(["help"]).shell("/bin/sh -c 'sleep 0.05; : canary-in-argv'").end();
    let seen = sampler.finish();
    assert!(!seen.hits.is_empty() && seen.rounds > 1, "{seen:?}");
}

#[test]
fn fakes_record_what_they_are_told() {
    let project = TestProject::new();
    let fakes = Fakes::new().program("thing", "echo \"real: $REAL\"").recorder("printf");
    let script = "thing '' 'a b' --x=1; printf '%s' passed-on";
    let ended = project.xtask(["--version"]).env("PATH", fakes.path()).env("MINE", "1").shell(script).end();
    assert!(ended.stdout.starts_with("real: \n"), "{ended}");
    let calls = fakes.calls();
    assert_eq!(calls[0].argv, ["thing", "", "a b", "--x=1"]);
    assert_eq!(calls[0].var("MINE"), Some("1"));
    assert!(calls[0].has(&["a b", "--x=1"]));
}

#[test]
fn bystanders_notice_being_touched() {
    let Some(_engine) = engine() else { return };
    let mut bystanders = Bystanders::new();
    let volume = bystanders.volume(&["a=b"]);
    bystanders.network(&[]);
    bystanders.image();
    bystanders.unchanged();
    docker(["volume", "rm", &volume]);
    assert!(catch_unwind(AssertUnwindSafe(|| bystanders.unchanged())).is_err());
}

#[test]
fn ports_are_free_and_each_given_once() {
    let (one, two) = (free_port(), free_port());
    assert_ne!(one, two);
    std::net::TcpListener::bind(("127.0.0.1", one)).unwrap();
}

#[test]
fn canary_compose_names_its_version_as_the_fakes_do() {
    let Some(_engine) = engine() else { return };
    let version = docker(["compose", "version", "--short"]);
    assert!(version.trim_start_matches('v').starts_with("2."), "{version}");
}

#[test]
fn canary_a_missing_plugin_is_told_as_the_fakes_do() {
    let Some(_engine) = engine() else { return };
    // Three generations of Docker's client: 26 and older, 27 and newer, and both when an option follows.
    for words in [&["no-such-plugin"][..], &["no-such-plugin", "-p", "x"]] {
        let error = try_docker(words).unwrap_err();
        let known = ["is not a docker command", "unknown command: docker", "unknown shorthand flag: 'p'"];
        assert!(known.iter().any(|text| error.contains(text)), "{error}");
    }
}
