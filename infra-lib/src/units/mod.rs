//! Lengths of time and sizes in bytes, as people write them.

mod byte_size;
mod period;
mod text;

pub use byte_size::ByteSize;
pub use period::Period;
pub(crate) use text::serialize_as_text;
