//! How containers became ready.

use serde::Serialize;

/// What showed that a container is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ReadyBy {
    /// Its own health check, run by this program.
    Check,
    /// The engine's result of its health check.
    Engine,
    /// It has no health check, and stayed up.
    Up,
    /// It has exited with 0.
    Exit,
}
