//! Files that are whole or not there.

pub mod atomic;
mod crc32;
mod draft;
mod error;
mod tree;

pub(crate) use crc32::crc32;
pub use error::WriteError;
pub(crate) use tree::occupied;
