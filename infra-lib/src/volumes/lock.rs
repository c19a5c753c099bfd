//! The lock of a volume, which several checkouts and users may share: a container on its engine with the volume's name.
//!
//! The container waits for the end of its input, which is a pipe of ours. So it ends when the lock is dropped, and when
//! this process is killed.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::compose::one_off::APART;
use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::lock::{LockError, Owner};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::{Keeper, Volume};

/// A held lock, released when this is dropped.
#[must_use = "the lock ends when this is dropped"]
pub(crate) struct VolumeLock {
    input: Option<PipeWriter>,
    messages: Receiver<Message>,
}

enum Message {
    Held,
    Ended(Result<(), ExecError>),
}

/// The label with the volume's name.
const VOLUME: &str = "infra.lock.volume";
/// The label with the holder.
const HOLDER: &str = "infra.lock.holder";
/// Prints a word once the lock is held.
const HOLD: &str = "echo held; exec cat >/dev/null";
/// How long to wait for another holder.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);
/// How long the engine may take to start or remove the container.
const ENGINE: Duration = Duration::from_secs(60);

impl VolumeLock {
    /// Takes the locks of these volumes. Waits briefly if another operation holds one; then the error names it.
    pub(crate) fn acquire<'v>(
        project: &Project,
        volumes: impl IntoIterator<Item = &'v Volume>,
        operation: &str,
    ) -> Result<Vec<Self>> {
        if project.runner().is_dry_run() {
            return Ok(Vec::new());
        }
        let mut volumes: Vec<&Volume> = volumes.into_iter().collect();
        volumes.sort_by_key(|volume| &volume.name);
        volumes.dedup_by_key(|volume| &volume.name);
        volumes.into_iter().map(|volume| Self::one(project, volume, operation)).collect()
    }

    fn one(project: &Project, volume: &Volume, operation: &str) -> Result<Self> {
        let operation = format!("{operation} of {} in {}", project.name(), project.root());
        let owner = Owner { pid: std::process::id(), operation, since: Timestamp::now() };
        let holder = serde_json::to_string(&owner).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        let mut keeper = Keeper::new(project, volume)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let error = match Self::hold(project, volume, keeper.image()?, &holder) {
                Ok(lock) => return Ok(lock),
                Err(error) => error,
            };
            match current(project, volume)? {
                // The name was free, so it is this image that cannot do it.
                None => keeper.next_image(error)?,
                Some(owner) if Instant::now() >= until => return Err(LockError::Held { owner: Some(owner) }.into()),
                Some(owner) => {
                    project.waiting(format_args!("the volume {} is in use by `{}`", volume.key, owner.operation));
                    project.cancel().sleep(PAUSE)?;
                }
            }
        }
    }

    fn hold(project: &Project, volume: &Volume, image: &str, holder: &str) -> Result<Self, ExecError> {
        let pipe = |source| ExecError::Pipe { command: "docker".to_owned(), source };
        let (reader, input) = io::pipe().map_err(pipe)?;
        let call = Invocation::new("docker")
            .args(["run", "-i", "--rm", "--pull", "never", "--log-driver", "none", "--network", "none"])
            .args(["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"])
            .args(APART)
            .args(["--name", &format!("infra-volume-lock.{}", volume.name)])
            .args(["--label", &format!("{VOLUME}={}", volume.name), "--label", &format!("{HOLDER}={holder}")])
            .args(["--entrypoint", "sh", image, "-c", HOLD])
            .stdin_file(OwnedFd::from(reader).into());
        // A cancellation must not release it, since what was begun is undone afterwards.
        let runner = project.runner().aftermath();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let on_chunk = |_: &[u8]| {
                let _ = sender.send(Message::Held);
                Ok(())
            };
            let ended = runner.chunks(&call, on_chunk).map(drop);
            let _ = sender.send(Message::Ended(ended));
        });
        match messages.recv_timeout(ENGINE) {
            Ok(Message::Held) => Ok(Self { input: Some(input), messages }),
            Ok(Message::Ended(Err(error))) => Err(error),
            Ok(Message::Ended(Ok(()))) | Err(RecvTimeoutError::Disconnected) => {
                Err(ExecError::BadOutput { command: "docker run".to_owned(), reason: "it ended at once".to_owned() })
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(ExecError::TimedOut { command: "docker run".to_owned(), after: ENGINE, tail: String::new() })
            }
        }
    }
}

impl Drop for VolumeLock {
    fn drop(&mut self) {
        drop(self.input.take());
        // The next command finds it free.
        let until = Instant::now() + ENGINE;
        while let Ok(Message::Held) = self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {}
    }
}

/// The current holder. What a killed client has created and not started is removed.
fn current(project: &Project, volume: &Volume) -> Result<Option<Owner>> {
    let filter = format!("label={VOLUME}={}", volume.name);
    let format = format!("{{{{.ID}}}} {{{{.State}}}} {{{{.Label \"{HOLDER}\"}}}}");
    let call = Invocation::new("docker").args(["ps", "-a", "--no-trunc", "--filter", &filter, "--format", &format]);
    let text = project.runner().read(&call.deadline(ENGINE))?.text();
    let Some((id, rest)) = text.lines().next().and_then(|line| line.split_once(' ')) else { return Ok(None) };
    let (state, holder) = rest.split_once(' ').unwrap_or((rest, ""));
    let owner: Option<Owner> = serde_json::from_str(holder).ok();
    let is_old = |owner: &Owner| Timestamp::now().duration_since(owner.since).unsigned_abs() > ENGINE;
    if state != "running" && owner.as_ref().is_none_or(is_old) {
        // Without force: one that runs by now stays.
        let _ = project.runner().read(&Invocation::new("docker").args(["rm", id]).deadline(ENGINE));
    }
    let unknown = || Owner { pid: 0, operation: "unknown".to_owned(), since: Timestamp::now() };
    Ok(Some(owner.unwrap_or_else(unknown)))
}
