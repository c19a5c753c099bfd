//! Asking running work to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ExecError;

/// A flag that stops what a project is doing; clones share it.
///
/// The library installs no signal handlers. A program that wants Ctrl-C to work sets the token from its own handler,
/// as the `cli` feature does. Cancelled a second time, it grants nobody any more time to tidy up.
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
    /// Whether a child has the terminal, whose Ctrl-C is meant for it.
    lent: AtomicBool,
}

impl CancelToken {
    /// How often a wait looks at the token.
    pub(crate) const POLL: Duration = Duration::from_millis(25);

    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels, on behalf of a signal number such as 2 (INT) or 15 (TERM). While a child has the terminal, 2 changes
    /// nothing: the terminal has sent it to the child as well.
    pub fn cancel(&self, signal: i32) {
        if signal == INT && self.0.lent.load(Ordering::SeqCst) {
            return;
        }
        if self.0.signal.swap(signal, Ordering::SeqCst) != 0 {
            self.0.insistent.store(true, Ordering::SeqCst);
        }
    }

    /// The signal that cancelled, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.0.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Whether it was cancelled more than once.
    pub fn is_insistent(&self) -> bool {
        self.0.insistent.load(Ordering::SeqCst)
    }

    /// Leaves Ctrl-C to a child until the answer is dropped.
    pub(super) fn lend_terminal(&self) -> Lent {
        self.0.lent.store(true, Ordering::SeqCst);
        Lent(self.clone())
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

/// Ctrl-C belongs to a child for as long as this lives.
pub(super) struct Lent(CancelToken);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.0.lent.store(false, Ordering::SeqCst);
    }
}

/// SIGINT, on every system that there is.
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
