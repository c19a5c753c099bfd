//! Running invocations.

use std::fmt::Display;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::inlet;
use super::invocation::EnvValue;
use super::listen::{FileWork, Listener};
use super::program::Programs;
use super::supervise::{Bounds, Ending, Source, Watch, attend, supervise};
use super::terminal::at_terminal;
use super::{CancelToken, ExecError, Invocation, Redactor, Stdin, Stream};
use crate::report::{Event, Observer};

/// Lines of a failed child that go into its error.
const TAIL_LINES: usize = 12;

/// What a child printed before it ended with zero.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Its stdout, whole.
    pub stdout: Vec<u8>,
    /// The end of its stderr, secrets masked.
    pub stderr: String,
}

impl Output {
    /// Its stdout as text without the last line end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// The one place that starts processes, and the one gate for changes: in a dry run it shows them instead.
#[derive(Clone)]
pub struct Runner {
    programs: Arc<Programs>,
    observer: Arc<dyn Observer>,
    cancel: CancelToken,
    redactor: Redactor,
    dry_run: bool,
    withheld: Arc<AtomicBool>,
    keep_stdout: bool,
}

impl Runner {
    /// A runner that ignores programs inside `project`, reports to `observer` and stops at `cancel`.
    pub fn new(project: Option<&Path>, observer: Arc<dyn Observer>, cancel: CancelToken, dry_run: bool) -> Self {
        Self {
            programs: Arc::new(Programs::new(project)),
            observer,
            cancel,
            redactor: Redactor::default(),
            dry_run,
            withheld: Arc::default(),
            keep_stdout: false,
        }
    }

    /// Keeps the caller's stdout for its own data: interactive children print to stderr instead.
    #[must_use]
    pub fn keep_stdout(mut self, keep_stdout: bool) -> Self {
        self.keep_stdout = keep_stdout;
        self
    }

    /// Notes there what a dry run withholds, so that several runners can share one answer.
    #[must_use]
    pub(crate) fn note_withheld_in(mut self, withheld: Arc<AtomicBool>) -> Self {
        self.withheld = withheld;
        self
    }

    pub(crate) fn withheld(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.withheld)
    }

    pub(crate) fn keeps_stdout(&self) -> bool {
        self.keep_stdout
    }

    /// Secrets to mask in whatever children print.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The token that stops what runs.
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// A question that is not answered by then never will be: an engine that hangs must not hang whoever asks it.
    pub const READ_DEADLINE: Duration = Duration::from_secs(120);

    /// The same runner, for what must still be done after a cancellation: it is stopped by nobody, so what it runs needs
    /// a deadline of its own.
    pub(crate) fn aftermath(&self) -> Self {
        Self { cancel: CancelToken::new(), ..self.clone() }
    }

    /// Whether changes are shown instead of made.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether a dry run has shown a change instead of making it.
    pub fn has_withheld(&self) -> bool {
        self.withheld.load(Ordering::Relaxed)
    }

    /// Where a program is.
    pub fn find(&self, program: &str) -> Result<PathBuf, ExecError> {
        self.programs.find(program)
    }

    /// The `PATH` that children get.
    pub(crate) fn path(&self) -> &std::ffi::OsStr {
        self.programs.path()
    }

    /// Runs a command that changes nothing, and returns what it printed. It runs in a dry run too. One that states no
    /// deadline has [`Runner::READ_DEADLINE`].
    pub fn read(&self, invocation: &Invocation) -> Result<Output, ExecError> {
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

    /// Runs a command that changes nothing and hands over its stdout as it comes, in pieces of any size; returns what it
    /// said on stderr. Only the deadline and the stall timer that it states bound it.
    pub fn chunks(
        &self,
        invocation: &Invocation,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<String, ExecError> {
        self.stream(invocation, |stream: Stream, chunk: &[u8]| match stream {
            Stream::Stdout => on_chunk(chunk),
            Stream::Stderr => Ok(()),
        })
    }

    /// Runs a command that works on files. `on_line` gets what it says, and `progress` tells now and then how far the
    /// files are, which counts as a sign of life. Returns what it said. In a dry run it is shown, not run, and the answer is `None`.
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

    /// Runs a command that changes nothing and hands over its lines as they come, without their ends.
    pub fn lines(
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

    /// Runs a command that changes something. In a dry run it is shown, not run, and the answer is `None`.
    pub fn change(&self, invocation: &Invocation) -> Result<Option<Output>, ExecError> {
        if self.would(invocation) { Ok(None) } else { self.capture(invocation).map(Some) }
    }

    /// Runs a command that changes something and hands over its lines as they come. In a dry run it is shown, not run,
    /// and the answer is `None`.
    pub fn change_lines(
        &self,
        invocation: &Invocation,
        on_line: impl FnMut(Stream, &str) -> io::Result<()>,
    ) -> Result<Option<()>, ExecError> {
        if self.would(invocation) { Ok(None) } else { self.lines(invocation, on_line).map(Some) }
    }

    /// Makes a change that is not a process, such as writing a file. In a dry run it is shown, not made.
    pub fn apply<T, E>(&self, what: impl Display, change: impl FnOnce() -> Result<T, E>) -> Result<Option<T>, E> {
        if self.would(format_args!("# {what}")) { Ok(None) } else { change().map(Some) }
    }

    /// Runs a command in the caller's terminal and returns its exit code (128 + the signal's number if one ended it).
    /// It reads the caller's stdin, and stays in the terminal's process group, so that Ctrl-C reaches it directly and not us
    /// in its place. One that the invocation feeds with bytes is not the terminal's: Ctrl-C is ours then.
    pub fn interactive(&self, invocation: &Invocation) -> Result<i32, ExecError> {
        if self.would(invocation) {
            return Ok(0);
        }
        self.cancel.check()?;
        let mut command = self.expression(invocation)?;
        let apart = matches!(invocation.stdin, Stdin::Bytes(_));
        if let Stdin::Bytes(bytes) = &invocation.stdin {
            // `docker exec` answers Ctrl-C with exit code 0; so it must not see it before we do.
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
            _ => Err(ExecError::Cancelled { signal: self.cancel.signal().unwrap_or(0) }),
        }
    }

    /// Whether this is a dry run, after showing what would happen.
    fn would(&self, what: impl Display) -> bool {
        if self.dry_run {
            self.withheld.store(true, Ordering::Relaxed);
            self.observer.event(&Event::WouldRun { command: &what.to_string() });
        }
        self.dry_run
    }

    fn echo(&self, invocation: &Invocation) {
        self.observer.event(&Event::Running { command: &invocation.to_string() });
    }

    /// Runs to the end, handing over chunks; returns the end of stderr.
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
            Ending::Cancelled(signal) => Err(ExecError::Cancelled { signal }),
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

    /// Many children at once may need more files than this process may open; those that end give theirs back.
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
        let named = invocation.inlet.as_deref().map(inlet::open).transpose().map_err(pipe_error)?;
        // The expression holds our copies of the writers; it must be gone before the pipes are read to their end.
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

/// A started child, and the pipes from it.
type Launched = (duct::Handle, Vec<Source>);

/// How long a child waits for files that others will give back.
const FILES_PATIENCE: Duration = Duration::from_secs(1);

/// Too many open files; or a program that was just written, which a child of another thread still holds open.
fn passes(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::MFILE | Errno::NFILE | Errno::TXTBSY))
}
