//! Files that are whole or not there.

pub mod atomic;
mod draft;
mod error;

pub use error::WriteError;
