//! Typed infrastructure operations.

pub mod dotenv;
pub mod fs;
mod secret;

pub use secret::Secret;
