//! Cancelling running work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::exit::Exit;
use crate::failure::Failure;

/// A flag that cancels a project's running operations. Clones share it.
///
/// The library installs no signal handlers. To support Ctrl-C, set the token from your own signal handler, as the
/// `cli` feature does. A second cancellation skips the grace periods.
///
/// ```
/// let token = infra_lib::CancelToken::new();
/// assert!(token.signal().is_none());
/// token.cancel(2); // SIGINT
/// assert_eq!(token.signal(), Some(2));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<State>);

#[derive(Debug, Default)]
struct State {
    signal: AtomicI32,
    insistent: AtomicBool,
    /// Whether a child has the terminal, so that Ctrl-C is for the child.
    lent: AtomicBool,
}

impl CancelToken {
    /// How often a wait checks the token.
    pub(crate) const POLL: Duration = Duration::from_millis(25);

    /// Creates a token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels with a signal number such as 2 (INT) or 15 (TERM). While a child has the terminal, 2 is ignored: the
    /// terminal sends it to the child as well.
    pub fn cancel(&self, signal: i32) {
        if signal == INT && self.0.lent.load(Ordering::SeqCst) {
            return;
        }
        if self.0.signal.swap(signal, Ordering::SeqCst) != 0 {
            self.0.insistent.store(true, Ordering::SeqCst);
        }
    }

    /// The signal number of the first cancellation, if any.
    pub fn signal(&self) -> Option<i32> {
        match self.0.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Whether it was cancelled more than once.
    pub(crate) fn is_insistent(&self) -> bool {
        self.0.insistent.load(Ordering::SeqCst)
    }

    /// Leaves Ctrl-C to a child until the returned guard is dropped.
    pub(crate) fn lend_terminal(&self) -> Lent {
        self.0.lent.store(true, Ordering::SeqCst);
        Lent(self.clone())
    }

    /// Returns an error if the token is cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        match self.signal() {
            None => Ok(()),
            Some(signal) => Err(Cancelled { signal }),
        }
    }

    /// Sleeps for this time, or until the token is cancelled.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Cancelled> {
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

/// The caller or a signal cancelled the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Cancelled {
    /// The number of the signal.
    pub signal: i32,
}

impl Failure for Cancelled {
    fn exit(&self) -> Exit {
        Exit::Signal(u8::try_from(self.signal).unwrap_or(0))
    }
}

/// A guard: while it lives, Ctrl-C goes to the child.
pub(crate) struct Lent(CancelToken);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.0.lent.store(false, Ordering::SeqCst);
    }
}

/// SIGINT, which is 2 on every system.
const INT: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i05_a_second_signal_insists() {
        let token = CancelToken::new();
        token.cancel(15);
        assert!(!token.is_insistent());
        token.cancel(2);
        assert!(token.is_insistent());
        assert_eq!(token.signal(), Some(2));
    }

    #[test]
    fn i05_ctrl_c_is_left_to_a_child_that_has_the_terminal() {
        let token = CancelToken::new();
        let lent = token.lend_terminal();
        token.cancel(2);
        assert_eq!(token.signal(), None);
        token.cancel(15);
        assert_eq!(token.signal(), Some(15), "other signals are for us");
        drop(lent);
        token.cancel(2);
        assert!(token.is_insistent());
    }
}
