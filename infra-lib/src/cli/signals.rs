//! Ctrl-C and other signals.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cancel::CancelToken;

/// After a second signal, this long for killing children and dropping locks.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// The first signal asks the operation to end and clean up; the second kills its children and ends the process.
pub(super) fn install(cancel: &CancelToken) {
    // Beyond the file size limit, a write must fail like any other instead of ending the process.
    let _ = signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::default());
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    let cancel = cancel.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            cancel.cancel(signal);
            if cancel.is_insistent() {
                thread::sleep(LAST_MOMENT);
                leave(128 + signal);
            }
        }
    });
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a second signal ends a program that does not end by itself"
)]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}
