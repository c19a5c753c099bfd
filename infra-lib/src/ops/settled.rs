//! How waiting for containers ended, for every operation that waits.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::exit::Exit;
use crate::project::UnreadyContainer;
use crate::project::services::{Readiness, describe};
use crate::report::{millis, seconds};

/// What became of containers that were started.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Settled {
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What is not ready, and why.
    pub culprits: Vec<UnreadyContainer>,
    /// Whether the time was over before everything was ready.
    pub timed_out: bool,
}

impl Settled {
    pub(super) fn new(readiness: Readiness, began: Instant) -> Self {
        let (culprits, timed_out) = match readiness {
            Readiness::Ready => (Vec::new(), false),
            Readiness::Failed(culprits) => (culprits, false),
            Readiness::TimedOut(culprits) => (culprits, true),
        };
        Self { duration_ms: millis(began.elapsed()), culprits, timed_out }
    }

    /// Whether everything is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.culprits.is_empty() && !self.timed_out
    }

    pub(super) fn exit(&self) -> Exit {
        match (self.timed_out, self.culprits.is_empty()) {
            (true, _) => Exit::TempFail,
            (false, false) => Exit::CheckFailed,
            (false, true) => Exit::Ok,
        }
    }

    pub(super) fn next(&self) -> Vec<String> {
        let words: &[&str] = if self.is_ready() {
            &["cargo xtask ps", "cargo xtask health"]
        } else {
            &["cargo xtask logs", "cargo xtask doctor"]
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = seconds(Duration::from_millis(self.duration_ms));
        match (self.timed_out, self.culprits.is_empty()) {
            (true, _) => write!(f, "not ready after {took}; what runs was left running\n{}", describe(&self.culprits)),
            (false, false) => write!(f, "not healthy (after {took})\n{}", describe(&self.culprits)),
            (false, true) => write!(f, "ready after {took}"),
        }
    }
}
