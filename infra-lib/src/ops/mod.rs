//! The operations, one file each.
//!
//! To add one: write its file here with a type that implements [`Operation`](crate::Operation), and add its line to the
//! table in `cli/commands.rs`.

mod start;
mod stop;
mod task;

pub use start::{Scale, Start, StartReport};
pub use stop::{Stop, StopReport};
pub use task::{RunTask, TaskReport};
