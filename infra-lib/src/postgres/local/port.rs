//! Choosing a free port.

use std::net::{Ipv4Addr, TcpListener};

/// Below the range for outgoing connections, and above well-known services.
const RANGE: std::ops::Range<u16> = 15_432..25_432;

/// PostgreSQL's default port is reserved for a system-wide server, which may be stopped at the moment.
const RESERVED: u16 = 5432;

/// Whether a server could listen on this port of the loopback address now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The wanted port if it is free, else another free one.
pub(super) fn free(wanted: Option<u16>) -> u16 {
    if let Some(port) = wanted.filter(|port| *port != RESERVED && *port > 1023 && is_free(*port)) {
        return port;
    }
    // Start at different ports, since clusters may be created at the same time.
    let mut seed = [0; 2];
    let _ = getrandom::fill(&mut seed);
    let ports: Vec<u16> = RANGE.collect();
    let begin = usize::from(u16::from_le_bytes(seed)) % ports.len();
    let (before, after) = ports.split_at(begin);
    after.iter().chain(before).copied().find(|port| is_free(*port)).unwrap_or(RANGE.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_and_postgresqls_own_are_left_alone() {
        let first = free(None);
        assert!(RANGE.contains(&first));
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(free(Some(first)), first);
        drop(held);
        assert_eq!(free(Some(first)), first);
        assert_ne!(free(Some(5432)), 5432);
    }
}
