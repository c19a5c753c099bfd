//! Programs that a killed run left on this machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::process::{Pid, Signal, kill_process};

/// How long to wait until they have ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends the tools of this session, which may not have connected to the server yet. The caller must hold the lock that
/// keeps its runs apart. On systems without `/proc`, there is none to be found.
pub(super) fn end(session: &str) {
    let label = format!("PGAPPNAME={session}");
    let until = Instant::now() + PATIENCE;
    loop {
        let found = find(&label);
        if found.is_empty() || Instant::now() >= until {
            return;
        }
        for process in found {
            let _ = kill_process(process, Signal::KILL);
        }
        sleep(Duration::from_millis(20));
    }
}

/// The processes with this variable. Those of other users cannot be read.
fn find(label: &str) -> Vec<Pid> {
    let entries = Utf8Path::new("/proc").read_dir_utf8().into_iter().flatten().flatten();
    let own = rustix::process::getpid();
    let processes = entries.filter_map(|entry| {
        let id = entry.file_name().parse().ok().and_then(Pid::from_raw).filter(|id| *id != own)?;
        let variables = std::fs::read(entry.path().join("environ")).ok()?;
        variables.split(|byte| *byte == 0).any(|variable| variable == label.as_bytes()).then_some(id)
    });
    processes.collect()
}
