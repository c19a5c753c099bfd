//! The helper container, which reads and writes a volume's files.

use std::fs::File;
use std::io;
use std::time::Duration;

use camino::Utf8Path;

use crate::backup::BackupError;
use crate::compose::{ComposeError, Engine, OneOff, mount};
use crate::exec::{ExecError, Invocation, Pipe, Runner};
use crate::exit::Exit;
use crate::failure::Failure as _;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::Volume;

/// Runs scripts in containers that mount one volume and nothing else. The image is one that the engine already has:
/// that of a service that uses the volume, or else another image of this project.
pub(crate) struct Keeper<'a> {
    project: &'a Project,
    volume: &'a Volume,
    /// The candidate images, most likely first.
    images: Vec<String>,
    /// A label that identifies these containers, so that a later run can remove those of a killed one.
    session: String,
    /// Whether a named pipe can connect the container with this process.
    is_near: bool,
    runner: Runner,
    deadline: Option<Duration>,
}

/// The script's access to the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The mount point of the volume.
pub(super) const MOUNTED: &str = "/volume";
/// The mount point of the named pipe.
const PIPE: &str = "/infra-out";
/// How long a script may neither produce output nor accept input.
const STALL: Duration = Duration::from_secs(120);
/// How long undoing may take after a failure.
const AFTERWARDS: Duration = Duration::from_secs(300);
/// Pauses between attempts to remove a container that may not exist yet.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1)];
/// The exit code of a script whose image lacks a required program.
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

    /// The same helper for work that must be done even after a cancellation.
    pub(crate) fn afterwards(self) -> Self {
        Self { runner: self.project.runner().aftermath(), deadline: Some(AFTERWARDS), ..self }
    }

    /// Removes the containers of killed runs. The caller must hold the volumes' lock.
    pub(crate) fn sweep(&self) {
        OneOff::sweep(&self.project.runner().aftermath(), &self.session);
    }

    /// Runs the script and returns its stdout and stderr. `near` is a folder in which a named pipe may be created,
    /// which makes large outputs faster.
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

    /// Runs the script with `feed` writing to its stdin.
    pub(crate) fn feed(
        &mut self,
        script: &str,
        args: &[&str],
        feed: impl FnOnce(&File) -> io::Result<()> + Send,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<()> {
        // Input can be sent only once, so the images were tried before.
        let failed = |error: io::Error| Error::new(Exit::Io, format!("the archive could not be passed on: {error}"));
        let (reader, writer) = io::pipe().map_err(failed)?;
        let (call, one_off) = self.call(Access::Write, None, script, args)?;
        let call = call.stdin_file(std::os::fd::OwnedFd::from(reader).into());
        let writer = File::from(std::os::fd::OwnedFd::from(writer));
        std::thread::scope(|scope| {
            let feeder = scope.spawn(move || feed(&writer));
            let ended = self.runner.chunks(&call, &mut on_chunk);
            // Dropping our end of the pipe closes its last reader, so that the feeder does not block forever.
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
                    match error {
                        ExecError::Exited { code: LACKS, ref tail, .. } if !is_engines_fault(tail) => {
                            Err(self.no_image())
                        }
                        error => Err(failure(error)),
                    }
                }
            }
        })
    }

    fn call(&self, access: Access, pipe: Option<&Pipe>, script: &str, args: &[&str]) -> Result<(Invocation, OneOff)> {
        let image = self.image()?;
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

    /// The image that is tried next.
    pub(super) fn image(&self) -> Result<&str> {
        self.images.first().map(String::as_str).ok_or_else(|| self.no_image())
    }

    /// `Ok` after a failure that another image may avoid; that image is tried next.
    fn try_another(&mut self, one_off: &OneOff, error: ExecError) -> Result<()> {
        self.remove(one_off, Some(&error));
        self.next_image(error)
    }

    /// Proceeds to the next image after a failure, or returns the error if it is not the image's.
    pub(super) fn next_image(&mut self, error: ExecError) -> Result<()> {
        match error {
            // 125 to 127: the image, its shell or a required program is missing.
            ExecError::Exited { code: 125..=LACKS, ref tail, .. } if !is_engines_fault(tail) => {
                self.images.remove(0);
                if self.images.is_empty() { Err(self.no_image()) } else { Ok(()) }
            }
            error => Err(failure(error)),
        }
    }

    /// A killed client may have requested a container that the engine is still creating.
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
        Error::new(Exit::Unavailable, message).with_hint(
            "run `docker pull busybox`, then try again: it needs `sh`, `tar`, `find`, \
                        `stat` and coreutils, as in busybox, alpine and postgres",
        )
    }
}

/// Images that always work, if the engine has one.
const COMMON: [&str; 3] = ["busybox:stable", "busybox:latest", "alpine:latest"];

/// Images of the services that use the volume, the database, and other services, then common images.
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
        ExecError::Pipe { source, .. } => Error::file("write", "the archive")(source),
        error @ (ExecError::NotFound { .. } | ExecError::Start { .. } | ExecError::Cancelled { .. }) => error.into(),
        // Without the command, which is a script of ours.
        error => {
            let last = error.tail().lines().next_back().unwrap_or("it reports nothing").trim().to_owned();
            let what = match &error {
                ExecError::Exited { code, .. } => format!("failed with exit code {code}: {last}"),
                ExecError::Signalled { signal, .. } => format!("was killed by signal {signal}: {last}"),
                ExecError::TimedOut { after, .. } | ExecError::Stalled { after, .. } => {
                    format!("did not finish or proceed within {} s", after.as_secs())
                }
                _ => last,
            };
            Error::new(error.exit(), format!("the container that works on the volume {what}")).with_hint(
                "`docker info` and `docker volume inspect` show the state of the engine and the volume; then try again",
            )
        }
    }
}

fn invalid(error: io::Error) -> Error {
    BackupError::Undecodable { reason: error.to_string() }.into()
}
