//! Runs that are killed, or whose tools are.

use rustix::process::Signal;

use super::*;

/// The tool of that name that a run has started.
#[track_caller]
fn child(running: &Running, tool: &str) -> i32 {
    wait_until(&format!("{tool} runs"), Duration::from_secs(20), || {
        let below = descendants(running.pid());
        let found = below.into_iter().find(|pid| program(*pid).is_some_and(|name| name == tool));
        found.ok_or_else(|| running.so_far())
    })
}

fn program(pid: i32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim().to_owned())
}

#[test]
fn a05_killed_at_any_time_the_next_run_sweeps_and_succeeds() {
    let Some(_postgres) = postgres() else { return };
    let project = local(3000);
    let mut before = Before::of(&project);
    let whole = project.xtask(["db-backup"]).end().took;
    before.listed = listed(&project);
    let count = u32::try_from(5 * scale()).unwrap();
    for round in 0..count {
        let running = project.xtask(["db-backup"]).spawn();
        std::thread::sleep(whole * (2 * round + 1) / (2 * count));
        running.signal(Signal::KILL);
        let ended = running.wait();
        assert!([137, 0].contains(&ended.exit), "{ended}");
        let now = listed(&project);
        if now != before.listed {
            assert_eq!(now.len(), before.listed.len() + 1, "{ended}");
            project.xtask(["db-verify"]).end().ok();
            before.listed = now;
        }
        before.recovers();
        before = Before { project: &project, listed: listed(&project) };
    }
}

#[test]
fn a05_a_dump_that_waits_is_ended_by_the_next_run() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    running.signal(Signal::KILL);
    let ended = running.wait();
    before.unchanged(&ended);
    assert_ne!(leftovers(&project, &ended), [""; 0], "pg_dump goes on");
    drop(held);
    let held = hold(&project, "random");
    let blocked = project.xtask(["db-backup", "--lock-wait", "1s"]).end();
    blocked.code(75);
    before.unchanged(&blocked);
    before.tidy(&ended);
    drop(held);
    before.recovers();
}

#[test]
fn a06_a_tool_that_is_killed_is_named_with_its_signal() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    let dump = child(&running, "pg_dump");
    signal(dump, Signal::KILL);
    let ended = running.wait();
    ended.code(1).says("pg_dump was killed (signal 9); out of memory?");
    drop(held);
    before.holds(&ended);
}

#[test]
fn i08_a_dump_that_stands_still_is_given_up() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup", "--stall", "10s"]).spawn();
    until_somebody_waits(&project);
    let dump = child(&running, "pg_dump");
    signal(dump, Signal::STOP);
    let ended = running.wait();
    ended.code(75).says("nothing was dumped for 10 s; process ").says("has locked plain since ");
    assert!(ended.took < Duration::from_secs(40), "{ended}");
    drop(held);
    before.holds(&ended);
}

#[test]
fn i12_a_limit_for_file_sizes_is_a_full_disk() {
    let Some(_postgres) = postgres() else { return };
    let project = local(3000);
    let before = Before::of(&project);
    let ended = project.xtask(["db-backup"]).limits("-f 256").end();
    ended.code(73);
    before.holds(&ended);
}
