//! Running invocations as child processes.

use std::fmt::Display;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::fifo;
use super::invocation::EnvValue;
use super::listen::{FileWork, Listener};
use super::program::Programs;
use super::supervise::{Bounds, Ending, Source, Watch, attend, supervise};
use super::terminal::at_terminal;
use super::transient::{FILES_PATIENCE, passes};
use super::{ExecError, Invocation, Redactor, Stdin, Stream};
use crate::cancel::{CancelToken, Cancelled};
use crate::report::{Event, Observer};

/// How many lines of a failed child's output its error contains.
const TAIL_LINES: usize = 12;

/// The output of a child that exited with zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    /// The complete standard output.
    pub(crate) stdout: Vec<u8>,
    /// The end of stderr, secrets masked.
    pub(crate) stderr: String,
}

impl Output {
    /// The stdout as text, without the last line end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// Starts all processes and applies all changes. In a dry run, it shows changes instead.
#[derive(Clone)]
pub(crate) struct Runner {
    programs: Arc<Programs>,
    observer: Arc<dyn Observer>,
    cancel: CancelToken,
    redactor: Redactor,
    dry_run: bool,
    withheld: Arc<AtomicBool>,
    changes: Arc<AtomicUsize>,
    keep_stdout: bool,
}

impl Runner {
    /// Creates a runner that ignores programs inside `project`, reports to `observer` and stops when `cancel` is set.
    pub(crate) fn new(project: Option<&Path>, observer: Arc<dyn Observer>, cancel: CancelToken, dry_run: bool) -> Self {
        Self {
            programs: Arc::new(Programs::new(project)),
            observer,
            cancel,
            redactor: Redactor::default(),
            dry_run,
            withheld: Arc::default(),
            changes: Arc::default(),
            keep_stdout: false,
        }
    }

    /// Keeps stdout for the caller's own data: interactive children print to stderr instead.
    #[must_use]
    pub(crate) fn keep_stdout(mut self, keep_stdout: bool) -> Self {
        self.keep_stdout = keep_stdout;
        self
    }

    /// Records withheld changes of a dry run in this flag, so that several runners can share it.
    #[must_use]
    pub(crate) fn note_withheld_in(mut self, withheld: Arc<AtomicBool>) -> Self {
        self.withheld = withheld;
        self
    }

    pub(crate) fn withheld(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.withheld)
    }

    /// How many changes have been made or withheld: what was seen before the last of them may not be so any more.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::Relaxed)
    }

    pub(crate) fn keeps_stdout(&self) -> bool {
        self.keep_stdout
    }

    /// The secrets to mask in the output of children.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The token that cancels running children.
    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// The default deadline of [`Runner::read`], so that an engine that hangs does not block the caller.
    pub(crate) const READ_DEADLINE: Duration = Duration::from_secs(120);

    /// The same runner for cleanup after a cancellation. It cannot be cancelled, so each invocation needs its own
    /// deadline.
    pub(crate) fn aftermath(&self) -> Self {
        self.cancelled_by(CancelToken::new())
    }

    /// The same runner, cancelled by this token alone.
    pub(crate) fn cancelled_by(&self, cancel: CancelToken) -> Self {
        Self { cancel, ..self.clone() }
    }

    /// Whether changes are shown instead of made.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether a dry run has shown a change instead of making it.
    #[cfg(feature = "cli")]
    pub(crate) fn has_withheld(&self) -> bool {
        self.withheld.load(Ordering::Relaxed)
    }

    /// The absolute path of a program.
    pub(crate) fn find(&self, program: &str) -> Result<PathBuf, ExecError> {
        self.programs.find(program)
    }

    /// The `PATH` that children inherit.
    pub(crate) fn path(&self) -> &std::ffi::OsStr {
        self.programs.path()
    }

    /// Runs a command that changes nothing, and returns its output. It also runs in a dry run. The default deadline
    /// is [`Runner::READ_DEADLINE`].
    pub(crate) fn read(&self, invocation: &Invocation) -> Result<Output, ExecError> {
        match invocation.deadline {
            Some(_) => self.capture(invocation),
            None => self.capture(&invocation.clone().deadline(Self::READ_DEADLINE)),
        }
    }

    fn capture(&self, invocation: &Invocation) -> Result<Output, ExecError> {
        let mut stdout = Vec::new();
        let stderr = self.chunks(invocation, |chunk| {
            stdout.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(Output { stdout, stderr })
    }

    /// Runs a command that changes nothing and passes on its stdout as it arrives, in chunks of any size. Returns its
    /// stderr. The only limits are the invocation's own deadline and stall timeout.
    pub(crate) fn chunks(
        &self,
        invocation: &Invocation,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<String, ExecError> {
        self.stream(invocation, |stream: Stream, chunk: &[u8]| match stream {
            Stream::Stdout => on_chunk(chunk),
            Stream::Stderr => Ok(()),
        })
    }

    /// Runs a command that works on files. `on_line` receives its messages, and `progress` is called regularly for
    /// the progress of the files, which also resets the stall timeout. Returns its output. In a dry run, it is shown
    /// instead, and the result is `None`.
    pub(crate) fn change_files(
        &self,
        invocation: &Invocation,
        on_line: impl FnMut(&str),
        progress: impl FnMut() -> u64,
    ) -> Result<Option<String>, ExecError> {
        if self.would(invocation) {
            return Ok(None);
        }
        self.stream(invocation, FileWork::new(&self.redactor, on_line, progress)).map(Some)
    }

    /// Runs a command that changes nothing and passes on its lines as they arrive, without line ends.
    pub(crate) fn lines(
        &self,
        invocation: &Invocation,
        mut on_line: impl FnMut(Stream, &str) -> io::Result<()>,
    ) -> Result<(), ExecError> {
        let mut pending = [Vec::new(), Vec::new()];
        self.stream(invocation, |stream: Stream, chunk: &[u8]| {
            let buffer = &mut pending[stream as usize];
            for part in chunk.split_inclusive(|&byte| byte == b'\n') {
                buffer.extend_from_slice(part);
                if buffer.ends_with(b"\n") {
                    on_line(stream, self.redactor.clean(&String::from_utf8_lossy(buffer)).trim_end())?;
                    buffer.clear();
                }
            }
            Ok(())
        })?;
        for (stream, rest) in [Stream::Stdout, Stream::Stderr].into_iter().zip(pending) {
            if !rest.is_empty() {
                let rest = self.redactor.clean(&String::from_utf8_lossy(&rest));
                on_line(stream, rest.trim_end())
                    .map_err(|source| ExecError::Pipe { command: invocation.to_string(), source })?;
            }
        }
        Ok(())
    }

    /// Runs a command that changes something. In a dry run, it is shown instead, and the result is `None`.
    pub(crate) fn change(&self, invocation: &Invocation) -> Result<Option<Output>, ExecError> {
        if self.would(invocation) { Ok(None) } else { self.capture(invocation).map(Some) }
    }

    /// Runs a command that changes something and passes on its lines as they arrive. In a dry run, it is shown
    /// instead, and the result is `None`.
    pub(crate) fn change_lines(
        &self,
        invocation: &Invocation,
        on_line: impl FnMut(Stream, &str) -> io::Result<()>,
    ) -> Result<Option<()>, ExecError> {
        if self.would(invocation) { Ok(None) } else { self.lines(invocation, on_line).map(Some) }
    }

    /// Makes a change without a child process, such as writing a file. In a dry run, it is shown instead.
    pub(crate) fn apply<T, E>(
        &self,
        what: impl Display,
        change: impl FnOnce() -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.would(format_args!("# {what}")) { Ok(None) } else { change().map(Some) }
    }

    /// Runs a command in the caller's terminal and returns its exit code (128 + the signal's number if it was
    /// killed). It reads the caller's stdin and stays in the terminal's process group, so that Ctrl-C goes to it and
    /// not to us. If the invocation provides its stdin, Ctrl-C goes to us.
    pub(crate) fn interactive(&self, invocation: &Invocation) -> Result<i32, ExecError> {
        if self.would(invocation) {
            return Ok(0);
        }
        self.cancel.check()?;
        let mut command = self.expression(invocation)?;
        let apart = matches!(invocation.stdin, Stdin::Bytes(_));
        if let Stdin::Bytes(bytes) = &invocation.stdin {
            // `docker exec` exits with 0 on Ctrl-C, so it must not receive it before we do.
            command = command.stdin_bytes(bytes.clone()).before_spawn(|command| {
                command.process_group(0);
                Ok(())
            });
        }
        if self.keep_stdout {
            command = command.stdout_to_stderr();
        }
        self.echo(invocation);
        let _lent = (!apart && at_terminal()).then(|| self.cancel.lend_terminal());
        let handle = command
            .unchecked()
            .start()
            .map_err(|source| ExecError::Start { program: invocation.program.clone(), source })?;
        let ending = attend(handle, apart, &self.cancel)
            .map_err(|source| ExecError::Pipe { command: invocation.to_string(), source })?;
        match ending {
            Ending::Exited(status) => Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
            _ => Err(Cancelled { signal: self.cancel.signal().unwrap_or(0) }.into()),
        }
    }

    /// Shows what would happen if this is a dry run, and returns whether it is.
    fn would(&self, what: impl Display) -> bool {
        self.changes.fetch_add(1, Ordering::Relaxed);
        if self.dry_run {
            self.withheld.store(true, Ordering::Relaxed);
            self.observer.event(&Event::WouldRun { command: &what.to_string() });
        }
        self.dry_run
    }

    fn echo(&self, invocation: &Invocation) {
        if !invocation.unechoed {
            self.observer.event(&Event::Running { command: &invocation.to_string() });
        }
    }

    /// Runs a command to its end and passes on its output in chunks. Returns the end of stderr.
    fn stream(&self, invocation: &Invocation, watch: impl Watch) -> Result<String, ExecError> {
        self.cancel.check()?;
        self.echo(invocation);
        let pipe_error = |source| ExecError::Pipe { command: invocation.to_string(), source };
        let (handle, sources) = self.launch_when_possible(invocation)?;

        let mut listener = Listener::new(&*self.observer, &self.redactor, invocation.relay.as_deref(), watch);
        let bounds = Bounds { deadline: invocation.deadline, stall: invocation.stall, cancel: &self.cancel };
        let ending = supervise(handle, sources, &bounds, &mut listener).map_err(pipe_error)?;

        let tail = listener.into_tail();
        let said = self.redactor.clean(&tail.lines(usize::MAX));
        let tail = self.redactor.clean(&tail.lines(TAIL_LINES));
        let command = invocation.to_string();
        match ending {
            Ending::Cancelled(signal) => Err(Cancelled { signal }.into()),
            Ending::TimedOut => {
                Err(ExecError::TimedOut { command, after: invocation.deadline.unwrap_or_default(), tail })
            }
            Ending::Stalled => Err(ExecError::Stalled { command, after: invocation.stall.unwrap_or_default() }),
            Ending::Exited(status) => match (status.code(), status.signal()) {
                (Some(0), _) => Ok(said),
                (Some(code), _) => Err(ExecError::Exited { command, code, tail }),
                (None, signal) => Err(ExecError::Signalled { command, signal: signal.unwrap_or(0), tail }),
            },
        }
    }

    /// Starts a child. Retries if too many files are open, since children that end close theirs.
    fn launch_when_possible(&self, invocation: &Invocation) -> Result<Launched, ExecError> {
        let until = Instant::now() + FILES_PATIENCE;
        loop {
            match self.launch(invocation) {
                Err(ExecError::Start { source, .. } | ExecError::Pipe { source, .. })
                    if passes(&source) && Instant::now() < until =>
                {
                    self.cancel.sleep(CancelToken::POLL)?;
                }
                launched => return launched,
            }
        }
    }

    fn launch(&self, invocation: &Invocation) -> Result<Launched, ExecError> {
        let pipe_error = |source| ExecError::Pipe { command: invocation.to_string(), source };
        let (out_reader, out_writer) = io::pipe().map_err(pipe_error)?;
        let (err_reader, err_writer) = io::pipe().map_err(pipe_error)?;
        let command = self.expression(invocation)?;
        let command = match &invocation.stdin {
            Stdin::Null => command.stdin_null(),
            Stdin::Bytes(bytes) => command.stdin_bytes(bytes.clone()),
            Stdin::File(file) => command.stdin_file(file.try_clone().map_err(pipe_error)?),
        };
        let named = invocation.inlet.as_deref().map(fifo::open).transpose().map_err(pipe_error)?;
        // The expression holds our copies of the writers, so drop it before the pipes are read to their end.
        let handle = command
            .stdout_file(out_writer)
            .stderr_file(err_writer)
            .unchecked()
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .start()
            .map_err(|source| ExecError::Start { program: invocation.program.clone(), source })?;
        let own = |stream, pipe: io::PipeReader| Source { stream, pipe: Box::new(pipe), open_until_exit: None };
        let mut sources = vec![own(Stream::Stdout, out_reader), own(Stream::Stderr, err_reader)];
        sources.extend(named);
        Ok((handle, sources))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn expression(&self, invocation: &Invocation) -> Result<duct::Expression, ExecError> {
        let program = self.programs.find(&invocation.program)?;
        let mut env: Vec<_> = invocation.inherit.select(std::env::vars_os());
        env.retain(|(key, _)| key != "PATH");
        env.push(("PATH".into(), self.programs.path().clone()));
        for (key, value) in &invocation.env {
            let value = match value {
                EnvValue::Plain(value) => value.clone(),
                EnvValue::Secret(secret) => secret.expose().into(),
            };
            env.retain(|(known, _)| known != key.as_str());
            env.push((key.into(), value));
        }
        let mut command = duct::cmd(program, &invocation.args).full_env(env);
        if let Some(dir) = &invocation.dir {
            command = command.dir(dir);
        }
        if let Some((uid, gid)) = invocation.run_as {
            command = command.before_spawn(move |command| {
                command.uid(uid).gid(gid);
                Ok(())
            });
        }
        Ok(command)
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("dry_run", &self.dry_run).finish_non_exhaustive()
    }
}

/// A started child and the pipes from it.
type Launched = (duct::Handle, Vec<Source>);
