//! Signals at every phase, and outputs that nobody reads.

use rustix::process::Signal;

use super::publish::{places, strike};
use super::*;

#[test]
fn i05_a_signal_at_any_point_of_the_work_leaves_nothing() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    let project = local(10);
    let mut before = Before::of(&project);
    let words = &["db-backup"];
    let all = places(&project, words);
    before.listed = listed(&project);
    for (name, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        for place in sample(&all, 4) {
            let ended = strike(&project, words, &place, &format!("signal={name}"));
            if ended.exit == 0 {
                // It came when all was done but the telling.
                assert_eq!(listed(&project).len(), before.listed.len() + 1, "{} {ended}", place.line);
                before.listed = listed(&project);
                before.tidy(&ended);
                continue;
            }
            assert_eq!(ended.exit, code, "{} {ended}", place.line);
            before.unchanged(&ended);
            before.tidy(&ended);
        }
    }
    before.recovers();
}

#[test]
fn i05_timeout_ends_a_dump_within_seconds_and_a_second_signal_at_once() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let ended = project.xtask(["db-backup"]).inside(["timeout", "--preserve-status", "3"]).end();
    ended.code(143);
    assert!(ended.took < Duration::from_secs(30), "{ended}");
    before.unchanged(&ended);
    before.tidy(&ended);

    // Its tool does not hear: it stands still.
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    for pid in descendants(running.pid()) {
        signal(pid, Signal::STOP);
    }
    running.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    let asked_twice = std::time::Instant::now();
    running.signal(Signal::TERM);
    let ended = running.wait();
    ended.code(143);
    assert!(asked_twice.elapsed() < Duration::from_secs(8), "{:?}", asked_twice.elapsed());
    drop(held);
    before.unchanged(&ended);
    before.recovers();
}

#[test]
fn a42_a_backup_succeeds_whoever_listens() {
    let Some(_bash) = tool("bash") else { return };
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let count = |project: &TestProject| listed(project).len();
    let mut expected = 0;
    for line in
        ["exec >&-", "exec 2>&-", "exec >&- 2>&-", "exec >/dev/full", "exec >/dev/full 2>&1", "exec <&- >&- 2>&-"]
    {
        for words in [&["db-backup"][..], &["db-backup", "-v", "--json"]] {
            project.xtask(words.iter().copied()).shell(line).end().ok();
            expected += 1;
            assert_eq!(count(&project), expected, "{line} {words:?}");
        }
    }
    // A reader that goes away, in the words of a shell.
    let ended = project
        .xtask(["db-backup", "-v"])
        .inside(["bash", "-c", "set -o pipefail; \"$@\" 2>&1 | head -1", "bash"])
        .end();
    ended.ok();
    assert_eq!(count(&project), expected + 1);
    assert_eq!(strays(&project), [""; 0]);
}
