//! A call that is still running.

use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::ended::Ended;
use super::pace::wait_until;
use super::processes::{descendants, signal};

/// A started call: read, signal and await it. Dropped unawaited, it is killed with all that it started.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Pipe,
    stderr: Pipe,
    began: Instant,
    limit: Duration,
    /// What the end will look like; filled in by [`Running::wait`].
    template: Ended,
    awaited: bool,
}

#[derive(Debug)]
struct Pipe {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Pipe {
    fn new(mut from: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// All of it; a grandchild that holds the pipe open is not waited for.
    fn rest(&mut self) -> String {
        let end = Instant::now() + Duration::from_secs(2);
        if let Some(reader) = self.reader.take() {
            while !reader.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self.so_far()
    }
}

impl Running {
    pub(super) fn start(mut command: Command, limit: Duration, template: Ended) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = Pipe::new(child.stdout.take().unwrap());
        let stderr = Pipe::new(child.stderr.take().unwrap());
        Self { child, stdin, stdout, stderr, began, limit, template, awaited: false }
    }

    /// The process that was started; a wrapper's, if there is one.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// What it has printed by now, stderr last.
    pub(crate) fn so_far(&self) -> String {
        self.stdout.so_far() + &self.stderr.so_far()
    }

    /// Waits until it has printed this.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) -> &Self {
        wait_until(&format!("`{}` prints {text:?}", self.template.line), self.limit, || {
            let said = self.so_far();
            if said.contains(text) { Ok(()) } else { Err(said) }
        });
        self
    }

    /// Types into its input.
    pub(crate) fn type_in(&mut self, text: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
        }
    }

    /// Ends its input.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal, it alone.
    pub(crate) fn signal(&self, number: Signal) {
        signal(self.pid(), number);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, at most as long as the call may take.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.began.elapsed() > self.limit {
                let (line, limit, said) = (self.template.line.clone(), self.limit, self.so_far());
                self.kill();
                panic!("`{line}` has not ended after {limit:?}; it printed:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.awaited = true;
        let mut ended = self.template.clone();
        ended.took = self.began.elapsed();
        ended.exit = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        ended.stdout = self.stdout.rest();
        ended.stderr = self.stderr.rest();
        ended.keeps_the_law();
        ended
    }

    /// Kills it and everything below it.
    fn kill(&mut self) {
        self.awaited = true;
        for pid in std::iter::once(self.pid()).chain(descendants(self.pid())) {
            signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.awaited {
            self.kill();
        }
    }
}
