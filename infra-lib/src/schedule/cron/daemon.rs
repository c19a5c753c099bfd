//! Whether somebody reads the crontab.

use std::path::Path;

/// A cron daemon, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// It runs, as this process.
    Runs(u32),
    /// No process is one, and all processes can be seen.
    Absent,
    /// Not all processes can be seen from here, or it needs none.
    Unknown,
}

const NAMES: [&str; 4] = ["cron", "crond", "fcron", "dcron"];
/// Where they note their process.
const PID_FILES: [&str; 4] = ["/run/crond.pid", "/run/cron.pid", "/var/run/crond.pid", "/var/run/cron.pid"];

/// What turns crontabs into timers of systemd, without a daemon.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-crontab-generator",
    "/lib/systemd/system-generators/systemd-crontab-generator",
];

/// Looks for one.
pub(crate) fn look() -> Daemon {
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let is_cron = |pid: u32| NAMES.contains(&name(pid).trim_end());
    let noted = PID_FILES.iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    let seen = Path::new("/proc").read_dir().into_iter().flatten().flatten();
    let seen = seen.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    match noted.chain(seen).find(|pid| is_cron(*pid)) {
        Some(pid) => Daemon::Runs(pid),
        // Where others' processes are hidden, so is the first.
        None if name(1).is_empty() => Daemon::Unknown,
        None if GENERATORS.iter().any(|file| Path::new(file).exists()) => Daemon::Unknown,
        None => Daemon::Absent,
    }
}
