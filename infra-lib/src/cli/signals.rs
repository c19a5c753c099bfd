//! Ctrl-C and its relatives.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exec::CancelToken;

/// After a second signal, this long for killing children and dropping locks.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// The first signal asks the operation to end and to tidy up; the second kills its children and ends the process.
pub(super) fn install(cancel: &CancelToken) {
    // Beyond a limit for file sizes, a write is to fail like any other, and not to end the process.
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

#[expect(clippy::exit, clippy::disallowed_methods, reason = "somebody asked twice, and whatever runs did not end")]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}
