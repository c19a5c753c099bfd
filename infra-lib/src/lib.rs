//! Typed infrastructure operations.

mod secret;

pub use secret::Secret;
