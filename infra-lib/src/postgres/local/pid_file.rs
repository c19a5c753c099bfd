//! Reading a cluster's `postmaster.pid` and verifying it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::exec::{Invocation, Runner};

use super::owner::Owner;

/// A running server, as described in its pid file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) pid: i32,
    pub(super) port: u16,
    pub(super) since: Option<Timestamp>,
    /// Whether it accepts connections. Otherwise, it is starting or stopping.
    pub(super) ready: bool,
}

/// The state that a pid file indicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PidFile {
    /// No pid file exists: the server was stopped.
    Absent,
    /// The server runs.
    Running(Server),
    /// The process does not exist: the server or the machine crashed. PostgreSQL handles that itself.
    Dead,
    /// After a crash, the process id was reused, or the file is incomplete. PostgreSQL takes that process for its
    /// own, or cannot read the file, and refuses to start.
    Bogus,
}

impl PidFile {
    pub(super) fn name(data: &Utf8Path) -> camino::Utf8PathBuf {
        data.join("postmaster.pid")
    }

    pub(super) fn read(runner: &Runner, data: &Utf8Path) -> Self {
        let Ok(text) = std::fs::read_to_string(Self::name(data)) else { return Self::Absent };
        let Some(server) = parse(&text) else { return Self::Bogus };
        let alive = Pid::from_raw(server.pid).is_some_and(|pid| {
            // Signalling another user's process is not permitted, but shows that it exists.
            !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
        });
        match (alive, alive && serves(runner, server.pid, data)) {
            (false, _) => Self::Dead,
            (true, true) => Self::Running(server),
            (true, false) => Self::Bogus,
        }
    }
}

fn parse(text: &str) -> Option<Server> {
    let mut lines = text.lines().map(str::trim);
    let pid = lines.next()?.parse().ok().filter(|pid| *pid > 0)?;
    let since = lines.nth(1).and_then(|second| Timestamp::from_second(second.parse().ok()?).ok());
    let port = lines.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    Some(Server { pid, port, since, ready: lines.nth(3) == Some("ready") })
}

/// Whether this process is the server of this folder: its working directory is the folder. That works for any path of
/// the folder, and for no other process.
fn serves(runner: &Runner, pid: i32, data: &Utf8Path) -> bool {
    if Utf8Path::new("/proc/self").exists() {
        return identity(data).is_some_and(|folder| working_directory(runner, pid, data) == Some(folder));
    }
    // Without /proc, as on macOS, at least check that it is a PostgreSQL process.
    let call = Invocation::new("ps").minimal_env().args(["-o", "comm=", "-p", &pid.to_string()]);
    runner.read(&call).is_ok_and(|output| output.text().contains("postgres"))
}

/// Identifies a folder independently of its path.
fn identity(folder: &Utf8Path) -> Option<(u64, u64)> {
    folder.metadata().ok().map(|stat| (stat.dev(), stat.ino()))
}

/// The working directory of a process. In a container, root may lack the permission to read it for other users'
/// processes; their own user never does.
fn working_directory(runner: &Runner, pid: i32, data: &Utf8Path) -> Option<(u64, u64)> {
    let link = format!("/proc/{pid}/cwd");
    match std::fs::metadata(&link) {
        Ok(stat) => Some((stat.dev(), stat.ino())),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let owner = Owner::from_data(data).ok().filter(|owner| !owner.is_self())?;
            let call = Invocation::new("stat").minimal_env().dir("/").args(["-L", "-c", "%d %i", &link]);
            let text = runner.read(&owner.run(call)).ok()?.text();
            let (device, inode) = text.split_once(' ')?;
            Some((device.parse().ok()?, inode.parse().ok()?))
        }
        Err(_) => None,
    }
}

/// Ends the processes that a killed server left in its data folder. A busy one may not notice for hours that its
/// server is gone, and no other server can start while it runs.
pub(super) fn end_orphans(runner: &Runner, data: &Utf8Path, owner: &Owner) {
    end_all("postgres", Signal::QUIT, runner, data, owner);
}

/// Kills the `initdb` that a killed `setup` left running in a cluster's folder. When it fails, it removes the
/// folder's content, which may belong to another run by then; so it gets no grace period.
pub(super) fn end_makers(runner: &Runner, home: &Utf8Path, owner: &Owner) {
    end_all("initdb", Signal::KILL, runner, home, owner);
}

/// Sends a signal to this user's processes of this name whose working directory is the folder.
fn end_all(name: &str, signal: Signal, runner: &Runner, folder: &Utf8Path, owner: &Owner) {
    let Some(wanted) = identity(folder) else { return };
    for entry in Utf8Path::new("/proc").read_dir_utf8().into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().parse().ok().filter(|pid| *pid > 0) else { continue };
        let is_orphan = entry.metadata().is_ok_and(|stat| stat.uid() == owner.uid())
            && std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
            && working_directory(runner, pid, folder) == Some(wanted);
        if let Some(pid) = Pid::from_raw(pid).filter(|_| is_orphan) {
            let _ = kill_process(pid, signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cancel::CancelToken;
    use crate::report::Silent;

    fn read(text: &str) -> PidFile {
        let dir = tempfile::tempdir().unwrap();
        let data = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::write(PidFile::name(data), text).unwrap();
        PidFile::read(&Runner::new(None, Arc::new(Silent), CancelToken::new(), false), data)
    }

    #[test]
    fn a_pid_file_is_read() {
        let text = "4711\n/data\n1700000000\n54321\n\n127.0.0.1\n  1234  5\nready   \n";
        let server = parse(text).unwrap();
        assert_eq!((server.pid, server.port, server.ready), (4711, 54321, true));
        assert_eq!(server.since.unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert!(!parse(&text.replace("ready", "stopping")).unwrap().ready);
    }

    #[test]
    fn another_process_of_the_same_number_is_not_the_server() {
        assert_eq!(read(&format!("{}\n", std::process::id())), PidFile::Bogus);
        assert_eq!(read("2000000000\n/data\n"), PidFile::Dead);
        assert_eq!(read(""), PidFile::Bogus);
        assert_eq!(read("-5\n"), PidFile::Bogus);
    }

    #[test]
    fn the_server_is_known_by_its_working_directory() {
        let data = std::env::current_dir().unwrap();
        let data = Utf8Path::from_path(&data).unwrap();
        let runner = Runner::new(None, Arc::new(Silent), CancelToken::new(), false);
        assert!(serves(&runner, std::process::id().try_into().unwrap(), data));
        assert!(!serves(&runner, std::process::id().try_into().unwrap(), data.parent().unwrap()));
    }
}
