//! One whole system at a time.
//!
//! A system has up to eight containers whose health checks allow five seconds; several systems at once let them time out
//! on two cores.

use std::sync::{Mutex, MutexGuard, PoisonError};

static ONE: Mutex<()> = Mutex::new(());

thread_local! {
    /// The running test's turn, given back when its thread ends.
    static TURN: MutexGuard<'static, ()> = ONE.lock().unwrap_or_else(PoisonError::into_inner);
}

/// Waits until no other test runs a whole system.
pub(super) fn wait() {
    TURN.with(|_| ());
}
