//! A copy of the stack, with ports of its own.

use std::net::TcpListener;
use std::ops::Deref;

use crate::support;

/// The copy, and a listener on the port that its files have for the database.
pub(super) struct Stack {
    stack: support::Stack,
    /// Held, so that `setup` has to find another port for the database.
    taken: TcpListener,
}

impl Stack {
    pub(super) fn fresh() -> Self {
        let taken = taken();
        let port = taken.local_addr().unwrap().port().to_string();
        let stack = support::Stack::of("vrss")
            .ports(".env.example", &[("BACKEND_PORT_PUBLISHED", "backend"), ("FRONTEND_PORT_PUBLISHED", "frontend")])
            .ports(".env.production.example", &[("HTTP_PORT_PUBLISHED", "http"), ("HTTPS_PORT_PUBLISHED", "https")])
            .set(".env.example", "DB_PORT_PUBLISHED", &port);
        Self { stack, taken }
    }

    pub(super) fn taken_port(&self) -> u16 {
        self.taken.local_addr().unwrap().port()
    }
}

impl Deref for Stack {
    type Target = support::Stack;

    fn deref(&self) -> &Self::Target {
        &self.stack
    }
}

/// A port that is not in the range of the other tests, with something listening on it.
fn taken() -> TcpListener {
    let offset = u16::try_from(std::process::id() % 2000).unwrap();
    let ports = (29_500 + offset..32_000).step_by(16);
    ports.map(|port| TcpListener::bind(("127.0.0.1", port))).find_map(Result::ok).expect("a free port")
}
