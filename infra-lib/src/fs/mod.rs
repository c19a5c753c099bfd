//! Files that are whole or not there.

pub mod atomic;
mod draft;
mod error;
mod tree;

pub(crate) use draft::remove_dead;
pub use error::WriteError;
pub(crate) use tree::occupied;
