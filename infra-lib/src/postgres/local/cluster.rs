//! Starting and stopping a cluster's server.
//!
//! The server listens on the loopback address only, and on no Unix socket: a project's folder can exceed the limit of
//! 107 bytes for socket paths, and not every file system supports sockets. All programs run in the cluster's folder
//! with relative paths, since `pg_ctl` passes paths through a shell.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::{ExecError, Invocation, Runner};
use crate::postgres::PostgresError;
use crate::project::error::{Error, Result};

use super::binaries::Installation;
use super::log::{self, Mark};
use super::owner::Owner;
use super::pid_file::{self, PidFile, Server};
use super::port;

/// The time limit for a start, which may include crash recovery.
const START: Duration = Duration::from_secs(300);
/// The time limit for a stop, which writes all data to disk.
const STOP: Duration = Duration::from_secs(120);
/// How often to retry a start, on another port or until the processes of a crashed server have ended.
const ATTEMPTS: u32 = 20;

/// A cluster with its folder, server programs and user.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) runner: &'a Runner,
    /// The folder that contains all files of the cluster.
    pub(super) home: Utf8PathBuf,
    /// The data folder, relative to `home`.
    pub(super) data: &'static str,
    pub(super) programs: Installation,
    pub(super) owner: Owner,
}

/// How to stop a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// End all sessions and write all data.
    Fast,
    /// Write nothing, for temporary data.
    Immediate,
}

impl Cluster<'_> {
    pub(super) const DATA: &'static str = "data";

    pub(super) fn data(&self) -> Utf8PathBuf {
        self.home.join(self.data)
    }

    /// The running server, if any.
    pub(super) fn server(&self) -> Option<Server> {
        match PidFile::read(self.runner, &self.data()) {
            PidFile::Running(server) => Some(server),
            PidFile::Absent | PidFile::Dead | PidFile::Bogus => None,
        }
    }

    /// Starts the server with these settings unless it is already running, and returns its port. If another process
    /// has taken the port, a free one is used instead.
    pub(super) fn start(&self, wanted: Option<u16>, settings: &[&str]) -> Result<u16> {
        if let Some(port) = self.running()? {
            return Ok(port);
        }
        if PidFile::read(self.runner, &self.data()) == PidFile::Bogus {
            let path = PidFile::name(&self.data());
            let what = format!("remove {path}, left by a crash and now naming another process");
            self.runner.apply(what, || std::fs::remove_file(&path)).map_err(Error::file("remove", &path))?;
        }
        if !self.runner.is_dry_run() {
            self.open_log()?;
        }
        let mut port = port::free(wanted);
        let mut attempt = 0;
        loop {
            let mark = Mark::end_of(&self.log());
            let error = match self.runner.change(&self.start_call(port, settings)) {
                Ok(_) => return Ok(port),
                Err(error @ ExecError::Exited { .. }) => error,
                Err(error) => return Err(error.into()),
            };
            let said = mark.since(&self.log());
            attempt += 1;
            match Refusal::from_output(&said) {
                Refusal::Port if attempt < ATTEMPTS => port = port::free(None),
                Refusal::OldProcesses if attempt < ATTEMPTS => {
                    pid_file::end_orphans(self.runner, &self.data(), &self.owner);
                    self.runner.cancel().sleep(Duration::from_millis(500))?;
                }

                _ if self.server().is_some() => {
                    let message = log::reason(&said);
                    return Err(PostgresError::Starting { message }.into());
                }
                _ => return Err(self.failed("did not start", &said, &error)),
            }
        }
    }

    fn start_call(&self, port: u16, settings: &[&str]) -> Invocation {
        // Passed here and not in postgresql.conf, which an init script may have replaced.
        let mut options = format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=");
        for setting in settings {
            options.push_str(" -c ");
            options.push_str(setting);
        }
        let wait = START.as_secs().to_string();
        self.call("pg_ctl")
            .args(["start", "-s", "-w", "-t", &wait, "-D", self.data, "-l", log::FILE, "-o", &options])
            .deadline(START + Duration::from_secs(10))
    }

    /// The port of the running server. Waits for a server that is starting or stopping.
    fn running(&self) -> Result<Option<u16>> {
        let deadline = Instant::now() + START;
        loop {
            match self.server() {
                None => return Ok(None),
                Some(server) if server.ready => return Ok(Some(server.port)),
                Some(server) if Instant::now() >= deadline => {
                    let message = format!("process {} has not become ready", server.pid);
                    return Err(PostgresError::Starting { message }.into());
                }
                Some(_) => self.runner.cancel().sleep(Duration::from_millis(100))?,
            }
        }
    }

    /// Stops the server and returns whether it was running. A dry run leaves it running.
    pub(super) fn stop(&self, how: Stop) -> Result<bool> {
        // Do not rely on `pg_ctl`, which would signal any process that reuses the id.
        if self.server().is_none() {
            return Ok(false);
        }
        let (mode, wait) = (if how == Stop::Fast { "fast" } else { "immediate" }, STOP.as_secs().to_string());
        let call = self
            .call("pg_ctl")
            .args(["stop", "-s", "-w", "-t", &wait, "-m", mode, "-D", self.data])
            .deadline(STOP + Duration::from_secs(10));
        match self.runner.change(&call) {
            Ok(_) => Ok(true),
            // It ended between our check and the call.
            Err(ExecError::Exited { .. }) if self.server().is_none() => Ok(true),
            Err(error @ ExecError::Exited { .. }) => Err(self.failed("did not stop", "", &error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the server was shut down cleanly, according to the cluster's control file.
    pub(super) fn is_shut_down(&self) -> bool {
        let call = self.call("pg_controldata").env("LC_ALL", "C").args(["-D", self.data]);
        let output = self.runner.read(&call).map(|output| output.text()).unwrap_or_default();
        let state = output.lines().find_map(|line| line.strip_prefix("Database cluster state:"));
        state.is_some_and(|state| state.trim() == "shut down")
    }

    pub(super) fn log(&self) -> Utf8PathBuf {
        self.home.join(log::FILE)
    }

    /// A call of one of the cluster's programs, as its user, in its folder.
    pub(super) fn call(&self, program: &str) -> Invocation {
        self.owner.run(Invocation::new(self.programs.program(program)).minimal_env().dir(&self.home))
    }

    /// The path of a client tool: next to the server, or elsewhere if the server was installed without it.
    pub(super) fn client(&self, tool: &str) -> Result<String> {
        let own = self.programs.bin.join(tool);
        if own.is_file() {
            return Ok(own.into_string());
        }
        Ok(Installation::with_client(self.runner, tool, Some(self.programs.major))?.program(tool))
    }

    /// Opens the log file for the server, in a folder that the server cannot write to.
    fn open_log(&self) -> Result<()> {
        let path = self.log();
        log::rotate(&path);
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        opened.map_err(Error::file("create", &path))?;
        self.owner.give(&path)
    }

    pub(super) fn failed(&self, doing: &'static str, said: &str, error: &ExecError) -> Error {
        let tail = if said.trim().is_empty() { error.tail() } else { said };
        let message = self.runner.redactor().clean(&log::reason(tail));
        PostgresError::Cluster { doing, message }.into()
    }
}

/// Why a server refused to start, for causes that can be handled.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// Another process took the port.
    Port,
    /// Processes of a killed server are still running.
    OldProcesses,
    Other,
}

impl Refusal {
    fn from_output(said: &str) -> Self {
        if said.contains("could not bind IPv4 address") || said.contains("could not create any TCP/IP sockets") {
            Self::Port
        } else if said.contains("is still in use") {
            Self::OldProcesses
        } else {
            Self::Other
        }
    }
}

/// Removes a folder of the server with all its content. A process that is just ending may still add files, so a folder
/// that is not empty is tried again for a while.
pub(super) fn remove_dir(path: &Utf8Path) -> Result<()> {
    for attempt in 1.. {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && attempt < 50 => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file("remove", path)(error)),
            _ => break,
        }
    }
    Ok(())
}
