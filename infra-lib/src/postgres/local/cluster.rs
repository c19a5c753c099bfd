//! Starting and stopping a cluster's server.
//!
//! It listens on the loopback address alone, and on no Unix socket: a socket's path has a limit of 107 bytes that a
//! project's folder can exceed, and not every file system has sockets. Everything is called from the cluster's folder
//! with relative paths, since `pg_ctl` passes its paths through a shell.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation, Runner};
use crate::postgres::PostgresError;

use super::binaries::Installation;
use super::log::{self, Mark};
use super::owner::Owner;
use super::pid_file::{self, PidFile, Server};
use super::port;

/// Recovering from a crash may take this long.
const START: Duration = Duration::from_secs(300);
/// Writing everything to disk may take this long.
const STOP: Duration = Duration::from_secs(120);
/// So often a start is tried again on another port, or for the last processes of a crashed server to be gone.
const ATTEMPTS: u32 = 20;

/// A cluster: its folder, its server's programs and user.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) runner: &'a Runner,
    /// The folder that holds everything of it.
    pub(super) home: Utf8PathBuf,
    /// The folder of its data, in there.
    pub(super) data: &'static str,
    pub(super) programs: Installation,
    pub(super) owner: Owner,
}

/// How a server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Sessions are ended, everything is written.
    Fast,
    /// Nothing is written; for data that is thrown away.
    Immediate,
}

impl Cluster<'_> {
    pub(super) const DATA: &'static str = "data";

    pub(super) fn data(&self) -> Utf8PathBuf {
        self.home.join(self.data)
    }

    /// The running server, if there is one.
    pub(super) fn server(&self) -> Option<Server> {
        match PidFile::read(self.runner, &self.data()) {
            PidFile::Running(server) => Some(server),
            PidFile::Absent | PidFile::Dead | PidFile::Bogus => None,
        }
    }

    /// Makes sure that the server runs, with these settings if it does not yet, and returns its port. A port that
    /// something else has taken meanwhile is exchanged for a free one.
    pub(super) fn start(&self, wanted: Option<u16>, settings: &[&str]) -> Result<u16> {
        if let Some(port) = self.running()? {
            return Ok(port);
        }
        if PidFile::read(self.runner, &self.data()) == PidFile::Bogus {
            let path = PidFile::name(&self.data());
            let what = format!("remove {path}, which a crash left and which now names another process");
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
            match Refusal::of(&said) {
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
        // Given here and not in postgresql.conf, which an init script may have replaced.
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

    /// The port of the running server. One that is starting or stopping is waited for.
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

    /// Stops the server, and says whether it ran. In a dry run it is left running.
    pub(super) fn stop(&self, how: Stop) -> Result<bool> {
        // Not asked of `pg_ctl`, which would signal whatever process has the number now.
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
            // It ended by itself between our look and the call.
            Err(ExecError::Exited { .. }) if self.server().is_none() => Ok(true),
            Err(error @ ExecError::Exited { .. }) => Err(self.failed("did not stop", "", &error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the server has written everything, as the cluster itself says.
    pub(super) fn is_shut_down(&self) -> bool {
        let call = self.call("pg_controldata").env("LC_ALL", "C").args(["-D", self.data]);
        let output = self.runner.read(&call).map(|output| output.text()).unwrap_or_default();
        let state = output.lines().find_map(|line| line.strip_prefix("Database cluster state:"));
        state.is_some_and(|state| state.trim() == "shut down")
    }

    pub(super) fn log(&self) -> Utf8PathBuf {
        self.home.join(log::FILE)
    }

    /// A call of one of the cluster's programs, as its user, from its folder.
    pub(super) fn call(&self, program: &str) -> Invocation {
        self.owner.run(Invocation::new(self.programs.program(program)).minimal_env().dir(&self.home))
    }

    /// Where a client is: beside the server, or elsewhere if the server came without.
    pub(super) fn client(&self, tool: &str) -> Result<String> {
        let own = self.programs.bin.join(tool);
        if own.is_file() {
            return Ok(own.into_string());
        }
        Ok(Installation::with_client(self.runner, tool, Some(self.programs.major))?.program(tool))
    }

    /// The log must be the server's to write, in a folder that is not.
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

/// Why a server refused to start, as far as we know a way out.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// Somebody was faster.
    Port,
    /// Processes of a killed server have not noticed yet that it is gone.
    OldProcesses,
    Other,
}

impl Refusal {
    fn of(said: &str) -> Self {
        if said.contains("could not bind IPv4 address") || said.contains("could not create any TCP/IP sockets") {
            Self::Port
        } else if said.contains("is still in use") {
            Self::OldProcesses
        } else {
            Self::Other
        }
    }
}

/// Removes a folder of the server's, with everything in it.
pub(super) fn remove_dir(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}
