//! Ports for tests that run beside each other.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Mutex;

/// Below the range from which the kernel takes the ports of outgoing connections.
const RANGE: std::ops::Range<u16> = 21_000..29_000;

/// A port that nobody listens on, kept from other tests until this process ends, in other checkouts too.
pub(crate) fn free_port() -> u16 {
    static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let dir = std::env::temp_dir().join("infra-test-ports");
    std::fs::create_dir_all(&dir).unwrap();
    let start = u16::try_from(std::process::id() % u32::from(RANGE.end - RANGE.start)).unwrap_or_default();
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for offset in 0..RANGE.end - RANGE.start {
        let port = RANGE.start + (start + offset) % (RANGE.end - RANGE.start);
        let file = File::options().write(true).create(true).truncate(false).open(dir.join(port.to_string()));
        // A file of another user is another user's port.
        let Ok(file) = file else { continue };
        if file.try_lock().is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            taken.push(file);
            return port;
        }
    }
    panic!("no free port in {RANGE:?}");
}
