//! Reading files, and writing them atomically.

mod append;
pub mod atomic;
mod draft;
pub(crate) mod error;
mod tree;

pub(crate) use append::append;
pub(crate) use draft::remove_dead;
pub use error::WriteError;
pub(crate) use tree::occupied;
