//! Files that are whole or not there.

pub mod atomic;
mod draft;
mod error;
mod tree;

pub use error::WriteError;
pub(crate) use tree::occupied;
