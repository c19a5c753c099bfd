//! The container that works in a volume.

use std::fs::File;
use std::io;
use std::time::Duration;

use camino::Utf8Path;

use crate::backup::BackupError;
use crate::compose::{ComposeError, Engine, OneOff, mount};
use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation, Pipe, Runner};
use crate::exit::Exit;
use crate::project::Project;

use super::Volume;

/// Runs scripts of ours in containers that have one volume mounted, and nothing else. Their image is one that is on the
/// engine already: that of a service that uses the volume, else another one of this project.
pub(crate) struct Keeper<'a> {
    project: &'a Project,
    volume: &'a Volume,
    /// Those that may do, the likeliest first.
    images: Vec<String>,
    /// By what the engine knows our containers, so that those of a run that was killed can be removed.
    session: String,
    /// Whether a named pipe leads from them to us.
    is_near: bool,
    runner: Runner,
    deadline: Option<Duration>,
}

/// What a script may do in the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Where the volume is mounted.
pub(super) const MOUNTED: &str = "/volume";
/// Where a named pipe is mounted.
const PIPE: &str = "/infra-out";
/// How long nothing may come of a script, and nothing be taken by it.
const STALL: Duration = Duration::from_secs(120);
/// How long undoing may take after a failure.
const AFTERWARDS: Duration = Duration::from_secs(300);
/// How long to wait for a container to be removed that is not there yet.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1)];
/// What a script ends with in an image that lacks a program which it needs.
const LACKS: i32 = 127;

impl<'a> Keeper<'a> {
    pub(crate) fn new(project: &'a Project, volume: &'a Volume) -> Result<Self> {
        let images = images(project, volume)?;
        let session = format!("infra-volume-{}", volume.name);
        Ok(Self {
            project,
            volume,
            images,
            session,
            is_near: Engine::shares_kernel(project.runner()),
            runner: project.runner().clone(),
            deadline: None,
        })
    }

    /// The same for what must still be done after a cancellation.
    pub(crate) fn afterwards(self) -> Self {
        Self { runner: self.project.runner().aftermath(), deadline: Some(AFTERWARDS), ..self }
    }

    /// Removes the containers that a run which was killed has left. Only whoever holds the volumes' lock may do so.
    pub(crate) fn sweep(&self) {
        OneOff::sweep(&self.project.runner().aftermath(), &self.session);
    }

    /// The script's stdout, and what it said on stderr. `near`: the folder in which a named pipe may be made, so that much
    /// comes faster.
    pub(crate) fn run(
        &mut self,
        access: Access,
        script: &str,
        args: &[&str],
        near: Option<&Utf8Path>,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<String> {
        loop {
            let pipe = near.filter(|_| self.is_near).map(|folder| Pipe::make(folder, 0o622)).transpose()?.flatten();
            let (mut call, one_off) = self.call(access, pipe.as_ref(), script, args)?;
            if let Some(pipe) = &pipe {
                call = call.inlet(pipe.path());
            }
            match self.runner.chunks(&call, &mut on_chunk) {
                Ok(said) => return Ok(said),
                Err(error) => self.try_another(&one_off, error)?,
            }
        }
    }

    /// The same with something to read for the script.
    pub(crate) fn feed(
        &mut self,
        script: &str,
        args: &[&str],
        feed: impl FnOnce(&File) -> io::Result<()> + Send,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<()> {
        // The images were tried before: what is fed can be fed once.
        let failed = |error: io::Error| Error::new(Exit::Io, format!("the archive could not be passed on: {error}"));
        let (reader, writer) = io::pipe().map_err(failed)?;
        let (call, one_off) = self.call(Access::Write, None, script, args)?;
        let call = call.stdin_file(std::os::fd::OwnedFd::from(reader).into());
        let writer = File::from(std::os::fd::OwnedFd::from(writer));
        std::thread::scope(|scope| {
            let feeder = scope.spawn(move || feed(&writer));
            let ended = self.runner.chunks(&call, &mut on_chunk);
            // With our end of the pipe goes the last reader, so that the feeder does not wait for ever.
            drop(call);
            let written = feeder.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            if let Err(error) = written
                && error.kind() != io::ErrorKind::BrokenPipe
            {
                self.remove(&one_off, ended.as_ref().err());
                self.project.cancel().check()?;
                return Err(if error.kind() == io::ErrorKind::InvalidData { invalid(error) } else { failed(error) });
            }
            match ended {
                Ok(_) => Ok(()),
                Err(error) => {
                    self.remove(&one_off, Some(&error));
                    Err(failure(error))
                }
            }
        })
    }

    fn call(&self, access: Access, pipe: Option<&Pipe>, script: &str, args: &[&str]) -> Result<(Invocation, OneOff)> {
        let Some(image) = self.images.first() else { return Err(self.no_image()) };
        let mut volume = mount("volume", &self.volume.name, MOUNTED) + ",volume-nocopy";
        let rights: &[&str] = match access {
            Access::Read => {
                volume += ",readonly";
                &["DAC_OVERRIDE"]
            }
            Access::Write => &["DAC_OVERRIDE", "CHOWN", "FOWNER", "FSETID", "SETFCAP"],
        };
        let (call, one_off) = OneOff::new(&self.session)?;
        let mut call = call
            .args(["--network", "none", "--user", "0:0", "--mount", &volume])
            .args(rights.iter().flat_map(|right| ["--cap-add", right]));
        let mut out = "-";
        if let Some(pipe) = pipe {
            call = call.args(["--mount", &mount("bind", pipe.path().as_str(), PIPE)]);
            out = PIPE;
        }
        let call =
            call.args(["--env", "LC_ALL=C", "--workdir", MOUNTED, "--entrypoint", "sh", image, "-c", script, out]);
        let call = call.args(args.iter().copied()).stall(STALL);
        Ok((if let Some(deadline) = self.deadline { call.deadline(deadline) } else { call }, one_off))
    }

    /// `Ok` after a failure: another image may do, and is to be tried.
    fn try_another(&mut self, one_off: &OneOff, error: ExecError) -> Result<()> {
        self.remove(one_off, Some(&error));
        match error {
            // 125 to 127: there is no such image, or in it no shell, or no program that the script needs.
            ExecError::Exited { code: 125..=LACKS, ref tail, .. } if !is_engines_fault(tail) => {
                self.images.remove(0);
                if self.images.is_empty() { Err(self.no_image()) } else { Ok(()) }
            }
            error => Err(failure(error)),
        }
    }

    /// A client that was ended may have asked for a container which the engine is only about to make.
    fn remove(&self, one_off: &OneOff, error: Option<&ExecError>) {
        let runner = self.project.runner().aftermath();
        let is_clients_end = !matches!(error, Some(ExecError::Exited { .. }));
        for pause in if is_clients_end { &PAUSES[..] } else { &PAUSES[..1] } {
            let said = one_off.remove(&runner).map_or_else(|error| error.tail().to_owned(), |output| output.stderr);
            if !said.contains("No such container") {
                return;
            }
            let _ = runner.cancel().sleep(*pause);
        }
    }

    fn no_image(&self) -> Error {
        let message = format!(
            "no image of this project that is on the engine has what reading the volume `{}` needs",
            self.volume.key
        );
        Error::new(Exit::Unavailable, message)
            .with_hint("it takes `sh`, `tar`, `find` and `stat`, as busybox, alpine and postgres have them: `docker pull busybox`, then try again")
    }
}

/// What always does, if somebody has it.
const COMMON: [&str; 3] = ["busybox:stable", "busybox:latest", "alpine:latest"];

/// The images of the services that use the volume, of the database, of everything else here, and what is common.
fn images(project: &Project, volume: &Volume) -> Result<Vec<String>> {
    let model = project.model()?;
    let containers = project.containers()?;
    let (users, others): (Vec<_>, Vec<_>) =
        containers.iter().partition(|container| container.volumes.contains(&volume.name));
    let servers = project.postgres_services()?;
    let (databases, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|container| servers.contains(&container.service.as_str()));
    let present = [users, databases, others].into_iter().flatten().map(|container| container.image_id.clone());
    let stated = model.services.iter().map(|(name, service)| project.compose().image_name(name, service));
    let mut images: Vec<String> = Vec::new();
    for image in present.chain(stated).chain(COMMON.map(str::to_owned)) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    Ok(images)
}

fn is_engines_fault(tail: &str) -> bool {
    ["Cannot connect to the Docker daemon", "error during connect", "permission denied while trying"]
        .iter()
        .any(|text| tail.contains(text))
}

fn failure(error: ExecError) -> Error {
    match error {
        ExecError::Exited { code: 125..=126, ref tail, .. } if is_engines_fault(tail) => {
            ComposeError::from_exec(error, &Engine::address()).into()
        }
        ExecError::Exited { code: 137 | 143, .. } => {
            BackupError::Incomplete { reason: "its container was ended".to_owned() }.into()
        }
        ExecError::Exited { ref tail, .. } if tail.contains("No space left on device") => {
            Error::new(Exit::CannotCreate, "the volume's disk is full")
        }
        ExecError::Pipe { source, .. } if source.kind() == io::ErrorKind::InvalidData => invalid(source),
        ExecError::Pipe { source, .. } => Error::File { action: "write", path: "the archive".into(), source },
        error => error.into(),
    }
}

fn invalid(error: io::Error) -> Error {
    BackupError::Undecodable { reason: error.to_string() }.into()
}
