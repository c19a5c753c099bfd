//! Processes, as `/proc` shows them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

use super::declared::{path, resolve};

/// The variable by which everything that a call started is recognised, however far it has run away.
pub(crate) const MARK: &str = "INFRA_TEST_CALL";

/// Starts to build a command of a program that the running test has declared. What it starts is found among those, too.
#[track_caller]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = unchecked(resolve(program.as_ref()));
    command.env("PATH", path());
    command
}

/// The same for the harness itself, which looks what there is, builds what is tested and cleans up.
#[expect(clippy::disallowed_methods, reason = "the tests' one place; the library's is not used to test itself")]
pub(crate) fn unchecked(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// The running processes, by id.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A process's command line, spaces between its words.
pub(crate) fn cmdline(pid: i32) -> String {
    let raw = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).trim_end_matches('\0').replace('\0', " ")
}

/// The processes below this one, at any depth.
pub(crate) fn descendants(of: i32) -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in pids() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // `pid (name) state ppid …`, and a name may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut queue = vec![of];
    while let Some(pid) = queue.pop() {
        let below = children.get(&pid).cloned().unwrap_or_default();
        found.extend(&below);
        queue.extend(below);
    }
    found
}

/// The command lines of living processes that bear a call's mark.
pub(crate) fn survivors(mark: &str) -> Vec<String> {
    let needle = format!("{MARK}={mark}").into_bytes();
    let marked = |pid: &i32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&byte| byte == 0).any(|entry| entry == needle)
    };
    pids().filter(marked).map(|pid| format!("{pid} {}", cmdline(pid))).collect()
}

/// Sends a signal to one process.
pub(crate) fn signal(pid: i32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
