//! Detecting whether a cron daemon is running.

use std::path::Path;

/// The state of the cron daemon, as far as it can be detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// It runs with this process id.
    Runs(u32),
    /// All processes are visible, and none is a cron daemon.
    Absent,
    /// Not all processes are visible, or cron needs no daemon here.
    Unknown,
}

const NAMES: [&str; 4] = ["cron", "crond", "fcron", "dcron"];
/// Where cron daemons write their process id.
const PID_FILES: [&str; 4] = ["/run/crond.pid", "/run/cron.pid", "/var/run/crond.pid", "/var/run/cron.pid"];

/// systemd generators that turn crontabs into timers, without a daemon.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-crontab-generator",
    "/lib/systemd/system-generators/systemd-crontab-generator",
];

/// Looks for a running cron daemon.
pub(crate) fn check() -> Daemon {
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let is_cron = |pid: u32| NAMES.contains(&name(pid).trim_end());
    let noted = PID_FILES.iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    let seen = Path::new("/proc").read_dir().into_iter().flatten().flatten();
    let seen = seen.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    match noted.chain(seen).find(|pid| is_cron(*pid)) {
        Some(pid) => Daemon::Runs(pid),
        // If other users' processes are hidden, so is process 1.
        None if name(1).is_empty() => Daemon::Unknown,
        None if GENERATORS.iter().any(|file| Path::new(file).exists()) => Daemon::Unknown,
        None => Daemon::Absent,
    }
}
