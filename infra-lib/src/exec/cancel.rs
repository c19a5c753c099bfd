//! Asking running work to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ExecError;

/// A flag that stops what a project is doing; clones share it.
///
/// The library installs no signal handlers. A program that wants Ctrl-C to work sets the token from its own handler,
/// as the `cli` feature does.
///
/// ```
/// let token = infra_lib::CancelToken::new();
/// assert!(token.signal().is_none());
/// token.cancel(2); // SIGINT
/// assert_eq!(token.signal(), Some(2));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicI32>);

impl CancelToken {
    /// How often a wait looks at the token.
    pub(crate) const POLL: Duration = Duration::from_millis(25);

    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels, on behalf of a signal number such as 2 (INT) or 15 (TERM).
    pub fn cancel(&self, signal: i32) {
        self.0.store(signal, Ordering::SeqCst);
    }

    /// The signal that cancelled, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// The flag itself, for a signal handler that may only store a number.
    pub fn flag(&self) -> Arc<AtomicI32> {
        Arc::clone(&self.0)
    }

    /// An error once somebody has cancelled.
    pub fn check(&self) -> Result<(), ExecError> {
        match self.signal() {
            None => Ok(()),
            Some(signal) => Err(ExecError::Cancelled { signal }),
        }
    }

    /// Sleeps, but not through a cancellation.
    pub fn sleep(&self, time: Duration) -> Result<(), ExecError> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Self::POLL));
        }
    }
}
