//! Supervising a child process from start to end.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::cancel::CancelToken;

/// The stream that a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The standard output, which carries data.
    Stdout,
    /// The standard error, which carries messages.
    Stderr,
}

/// How a child process ended.
pub(super) enum Ending {
    Exited(std::process::ExitStatus),
    TimedOut,
    Stalled,
    Cancelled(i32),
}

/// The limits within which a child runs.
pub(super) struct Bounds<'a> {
    pub(super) deadline: Option<Duration>,
    pub(super) stall: Option<Duration>,
    pub(super) cancel: &'a CancelToken,
}

/// A source of a child's output.
pub(super) struct Source {
    pub(super) stream: Stream,
    pub(super) pipe: Box<dyn Read + Send>,
    /// For a named pipe, our own writer: without one, the pipe would be at its end before the child opens it.
    pub(super) open_until_exit: Option<File>,
}

/// Receives the output of a child while it runs.
pub(super) trait Watch {
    /// Receives a piece of its output.
    fn chunk(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()>;
    /// A counter for the progress of work on files. A change means that the child is not stalled.
    fn progress(&mut self) -> u64 {
        0
    }
}

impl<F: FnMut(Stream, &[u8]) -> io::Result<()>> Watch for F {
    fn chunk(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self(stream, bytes)
    }
}

enum Message {
    Chunk(Stream, Vec<u8>),
    Closed,
    Exited(io::Result<std::process::ExitStatus>),
}

/// The maximum number of queued chunks of 64 KiB. When the queue is full, the child has to wait.
const BACKLOG: usize = 64;
/// How often to query the progress of work on files.
const PROGRESS: Duration = Duration::from_millis(200);
/// The time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(4);
/// How long to wait for grandchildren that hold the pipes open after the child has ended.
const LINGER: Duration = Duration::from_millis(500);

/// Reads the pipes of a started child until it ends, and terminates it when a limit is reached.
pub(super) fn supervise(
    handle: duct::Handle,
    sources: Vec<Source>,
    bounds: &Bounds<'_>,
    watch: &mut impl Watch,
) -> io::Result<Ending> {
    let handle = Arc::new(handle);
    let (sender, messages) = mpsc::sync_channel(BACKLOG);
    let mut open = sources.len();
    let mut open_until_exit = Vec::new();
    for source in sources {
        let sender = sender.clone();
        open_until_exit.extend(source.open_until_exit);
        thread::spawn(move || pump(source.stream, source.pipe, &sender));
    }
    thread::spawn({
        let handle = Arc::clone(&handle);
        move || {
            let status = handle.wait().map(|output| output.status);
            let _ = sender.send(Message::Exited(status));
        }
    });

    let started = Instant::now();
    let mut last_byte = started;
    let (mut last_look, mut progress) = (started, watch.progress());
    let mut exited = None;
    loop {
        if last_look.elapsed() >= PROGRESS {
            last_look = Instant::now();
            let now = watch.progress();
            if now != progress {
                (progress, last_byte) = (now, last_look);
            }
        }
        match messages.recv_timeout(CancelToken::POLL) {
            Ok(Message::Chunk(stream, bytes)) => {
                last_byte = Instant::now();
                if let Err(error) = watch.chunk(stream, &bytes) {
                    terminate(&handle, &messages, bounds.cancel);
                    return Err(error);
                }
            }
            Ok(Message::Closed) => open -= 1,
            Ok(Message::Exited(status)) => {
                open_until_exit.clear();
                exited = Some((status?, Instant::now()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Some((status, at)) = exited {
            // Read everything that is left in the pipes; only silence means that a grandchild holds them open.
            if open == 0 || at.max(last_byte).elapsed() > LINGER {
                // A signal received meanwhile means failure, whatever the child returned.
                return Ok(bounds.cancel.signal().map_or(Ending::Exited(status), Ending::Cancelled));
            }
            continue;
        }
        let broken = if let Some(signal) = bounds.cancel.signal() {
            Some(Ending::Cancelled(signal))
        } else if bounds.deadline.is_some_and(|limit| started.elapsed() > limit) {
            Some(Ending::TimedOut)
        } else if bounds.stall.is_some_and(|limit| last_byte.elapsed() > limit) {
            Some(Ending::Stalled)
        } else {
            None
        };
        if let Some(ending) = broken {
            terminate(&handle, &messages, bounds.cancel);
            return Ok(ending);
        }
    }
    Err(io::Error::other("the child's pipes closed before it ended"))
}

fn pump(stream: Stream, mut pipe: Box<dyn Read + Send>, sender: &SyncSender<Message>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                if sender.send(Message::Chunk(stream, buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = sender.send(Message::Closed);
}

/// Sends TERM to the process group, then KILL, so that grandchildren end as well.
fn terminate(handle: &duct::Handle, messages: &Receiver<Message>, cancel: &CancelToken) {
    signal_group(handle, Signal::TERM);
    let end = Instant::now() + GRACE;
    while Instant::now() < end && !cancel.is_insistent() {
        match messages.recv_timeout(CancelToken::POLL) {
            Ok(Message::Exited(_)) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
    signal_group(handle, Signal::KILL);
    let _ = handle.kill();
}

/// Waits for a child that has our terminal. On cancellation, ends the child, or its group if it has its own.
pub(super) fn attend(handle: duct::Handle, own_group: bool, cancel: &CancelToken) -> io::Result<Ending> {
    let handle = Arc::new(handle);
    let (sender, messages) = mpsc::channel();
    thread::spawn({
        let handle = Arc::clone(&handle);
        move || {
            let status = handle.wait().map(|output| output.status);
            let _ = sender.send(Message::Exited(status));
        }
    });
    loop {
        match messages.recv_timeout(CancelToken::POLL) {
            Ok(Message::Exited(status)) => return status.map(Ending::Exited),
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("no thread waits for the child")),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(signal) = cancel.signal() {
            let end_by = |number| if own_group { signal_group(&handle, number) } else { signal_alone(&handle, number) };
            end_by(Signal::TERM);
            let end = Instant::now() + GRACE;
            while Instant::now() < end && !cancel.is_insistent() {
                if let Ok(Message::Exited(_)) = messages.recv_timeout(CancelToken::POLL) {
                    break;
                }
            }
            end_by(Signal::KILL);
            let _ = handle.kill();
            return Ok(Ending::Cancelled(signal));
        }
    }
}

fn signal_group(handle: &duct::Handle, signal: Signal) {
    for pid in pids(handle) {
        let _ = kill_process_group(pid, signal);
    }
}

fn signal_alone(handle: &duct::Handle, signal: Signal) {
    for pid in pids(handle) {
        let _ = kill_process(pid, signal);
    }
}

fn pids(handle: &duct::Handle) -> impl Iterator<Item = Pid> {
    handle.pids().into_iter().filter_map(|pid| i32::try_from(pid).ok().and_then(Pid::from_raw))
}
