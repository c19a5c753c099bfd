//! Ports for tests that run in parallel.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Mutex;

/// Below the range from which the kernel takes the ports of outgoing connections, and above those of local clusters.
const RANGE: std::ops::Range<u16> = 25_500..32_500;

/// Between two ports there is room for those to which `setup` moves a service.
const STEP: u16 = 4;

/// A port that no process listens on, kept from other tests until this process ends, in other checkouts too.
pub(crate) fn free_port() -> u16 {
    static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let dir = std::env::temp_dir().join("infra-test-ports");
    std::fs::create_dir_all(&dir).unwrap();
    let ports: Vec<u16> = RANGE.step_by(STEP.into()).collect();
    let start = std::process::id() as usize % ports.len();
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for port in ports[start..].iter().chain(&ports[..start]).copied() {
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
