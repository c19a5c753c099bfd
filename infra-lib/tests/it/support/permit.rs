//! How many tests run a whole system at the same time.

use std::sync::{Condvar, Mutex, PoisonError};

/// A system has up to eight containers whose health checks allow five seconds; more systems at once let them time out on
/// two cores.
const AT_ONCE: usize = 2;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The running test's permit, given back when its thread ends.
struct Permit;

thread_local! {
    static PERMIT: Permit = Permit::wait();
}

impl Permit {
    fn wait() -> Self {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            ENDED.wait_while(running, |running| *running >= AT_ONCE).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}

/// Waits until the running test may run a whole system.
pub(super) fn wait() {
    PERMIT.with(|_| ());
}
