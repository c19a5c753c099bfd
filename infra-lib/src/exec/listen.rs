//! Distributing the output of a child.

use std::io;

use super::supervise::Watch;
use super::tail::Tail;
use super::{Redactor, Stream};
use crate::report::{Event, Observer};

const TAIL_BYTES: usize = 64 * 1024;

/// Keeps the end of a child's stderr, relays its lines, and forwards its output to `watch`.
pub(super) struct Listener<'a, W> {
    tail: Tail,
    relay: Relay<'a>,
    watch: W,
}

impl<'a, W> Listener<'a, W> {
    pub(super) fn new(observer: &'a dyn Observer, redactor: &'a Redactor, relay_as: Option<&'a str>, watch: W) -> Self {
        let relay = Relay { observer, redactor, source: relay_as, line: Vec::new() };
        Self { tail: Tail::new(TAIL_BYTES), relay, watch }
    }

    pub(super) fn into_tail(self) -> Tail {
        self.tail
    }
}

impl<W: Watch> Watch for Listener<'_, W> {
    fn chunk(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if stream == Stream::Stderr {
            self.tail.push(bytes);
        }
        self.relay.push(bytes);
        self.watch.chunk(stream, bytes)
    }

    fn progress(&mut self) -> u64 {
        self.watch.progress()
    }
}

/// Receives a child's output and queries the progress of its files.
pub(super) struct FileWork<'a, L, P> {
    on_line: L,
    progress: P,
    redactor: &'a Redactor,
    line: Vec<u8>,
}

impl<'a, L, P> FileWork<'a, L, P> {
    pub(super) fn new(redactor: &'a Redactor, on_line: L, progress: P) -> Self {
        Self { on_line, progress, redactor, line: Vec::new() }
    }
}

impl<L: FnMut(&str), P: FnMut() -> u64> Watch for FileWork<'_, L, P> {
    fn chunk(&mut self, _: Stream, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") {
                (self.on_line)(self.redactor.clean(&String::from_utf8_lossy(&self.line)).trim_end());
                self.line.clear();
            }
        }
        Ok(())
    }

    fn progress(&mut self) -> u64 {
        (self.progress)()
    }
}

/// Passes a child's lines to the observer while it runs.
struct Relay<'a> {
    observer: &'a dyn Observer,
    redactor: &'a Redactor,
    source: Option<&'a str>,
    line: Vec<u8>,
}

impl Relay<'_> {
    fn push(&mut self, chunk: &[u8]) {
        let Some(source) = self.source else { return };
        for part in chunk.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") {
                let line = self.redactor.clean(&String::from_utf8_lossy(&self.line));
                self.observer.event(&Event::Output { source, line: line.trim_end() });
                self.line.clear();
            }
        }
    }
}
