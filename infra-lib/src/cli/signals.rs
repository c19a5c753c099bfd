//! Ctrl-C and its relatives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exec::CancelToken;

/// The first signal asks the operation to end and to tidy up; the second ends the process at once.
pub(super) fn install(cancel: &CancelToken) {
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // The order matters: the shutdown looks at the flag before the second action sets it.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again));
        let _ = signal_hook::flag::register(signal, Arc::clone(&again));
        let cancel = cancel.clone();
        if let Ok(mut signals) = signal_hook::iterator::Signals::new([signal]) {
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    cancel.cancel(signal);
                }
            });
        }
    }
    let _ = again.load(Ordering::Relaxed);
}
