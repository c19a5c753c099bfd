//! The tool is killed, or a system call of its own fails, at each point of its work in the folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

/// What is done to files; of each of these, every call in the folder of backups is a place to strike at.
const CALLS: &str = "openat,write,fsync,renameat,renameat2,symlinkat,unlinkat,mkdirat,mknodat,ftruncate,close";

/// A call of the system, by its name and its number among the calls of that name.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) call: String,
    number: usize,
    pub(super) line: String,
}

/// Every place of a good run where it does something in its folder.
pub(super) fn places(project: &TestProject, words: &[&str]) -> Vec<Place> {
    let log = log(project);
    let call = project.xtask(words.iter().copied()).strace_alone(&format!("trace={CALLS}"), &log);
    call.end().ok();
    let text = std::fs::read_to_string(log).unwrap();
    let folder = project.path(DIR).display().to_string();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for line in text.lines() {
        let Some((call, _)) = line.split_once('(') else { continue };
        let number = numbers.entry(call.to_owned()).or_default();
        *number += 1;
        if line.contains(&folder) {
            places.push(Place { call: call.to_owned(), number: *number, line: line.to_owned() });
        }
    }
    places
}

fn log(project: &TestProject) -> PathBuf {
    project.dir().parent().unwrap().join("strace.log")
}

/// Runs it with this done at that place.
pub(super) fn strike(project: &TestProject, words: &[&str], place: &Place, what: &str) -> Ended {
    let inject = format!("inject={}:{what}:when={}", place.call, place.number);
    project.xtask(words.iter().copied()).strace_alone(&inject, &log(project)).end()
}

#[test]
fn a05_a43_killed_before_any_call_a_backup_is_whole_or_not_listed() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    let project = local(10);
    let mut before = Before::of(&project);
    for words in [&["db-backup"][..], &["db-backup", "--format", "directory"]] {
        let all = places(&project, words);
        assert!(all.len() > 30, "{all:?}");
        before.listed = listed(&project);
        for place in sample(&all, 6) {
            let ended = strike(&project, words, &place, "signal=KILL");
            assert_eq!(ended.exit, 137, "{}", place.line);
            let now = listed(&project);
            if now != before.listed {
                // The manifest is there: then everything else is, too.
                assert_eq!(now.len(), before.listed.len() + 1, "{}", place.line);
                project.xtask(["db-verify"]).end().ok();
                before.listed = now;
            }
            before.recovers();
            before = Before { project: &project, listed: listed(&project) };
        }
    }
}

#[test]
fn a04_whatever_call_fails_there_is_a_whole_backup_or_none() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    let project = local(10);
    let mut before = Before::of(&project);
    let words = &["db-backup"];
    // A file is closed when it is synced: what that says is no news, and nobody asks.
    let all: Vec<Place> = places(&project, words).into_iter().filter(|place| place.call != "close").collect();
    before.listed = listed(&project);
    for (error, code) in [("EIO", 74), ("ENOSPC", 73)] {
        for place in sample(&all, 6) {
            let ended = strike(&project, words, &place, &format!("error={error}"));
            if ended.exit == 0 {
                // A convenience, such as the link to the newest one, is no reason to fail; a sync is.
                assert!(
                    place.call != "fsync" && listed(&project).len() == before.listed.len() + 1,
                    "{} {ended}",
                    place.line
                );
                project.xtask(["db-verify"]).end().ok();
                before.listed = listed(&project);
                before.tidy(&ended);
                continue;
            }
            assert_eq!(ended.exit, code, "{} {ended}", place.line);
            before.holds(&ended);
            before = Before { project: &project, listed: listed(&project) };
        }
    }
}

#[test]
fn a04_a_sync_that_fails_is_told_and_is_no_backup() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    let project = local(10);
    let before = Before::of(&project);
    // The record of what is being written comes first, then the dump.
    for (time, what) in [(1, "error: cannot create a file in "), (2, "error: cannot ")] {
        for (error, code, words) in [("EIO", 74, "Input/output error"), ("ENOSPC", 73, "No space left on device")] {
            let inject = format!("inject=fsync:error={error}:when={time}");
            let ended = project.xtask(["db-backup"]).strace(&inject, &log(&project)).end();
            ended.code(code).says(what).says(words);
            before.unchanged(&ended);
            before.tidy(&ended);
        }
    }
    before.recovers();
}
