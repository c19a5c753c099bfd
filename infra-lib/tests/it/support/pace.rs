//! Waiting, with an end.

use std::time::{Duration, Instant};

/// A limit says how long something takes on a quiet machine; one that runs six tests at a time gets this many times that.
const PATIENCE: u32 = 6;

/// Polls until `look` gives something; its error is the status that a timeout reports.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    let limit = limit * PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(status) if began.elapsed() > limit => panic!("after {limit:?} still not: {what}; last seen: {status}"),
            Err(_) => std::thread::sleep(Duration::from_millis(30)),
        }
    }
}
