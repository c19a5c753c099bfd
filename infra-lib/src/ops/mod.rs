//! The operations, one file each.
//!
//! To add one: write its file here with a type that implements [`Operation`](crate::Operation), and add its line to the
//! table in `cli/commands.rs`.

mod clean;
mod setup;
mod start;
mod stop;
mod task;

pub use clean::{Clean, CleanReport, Kind, Object};
pub use setup::{Setup, SetupReport};
pub use start::{Scale, Start, StartReport};
pub use stop::{Stop, StopReport};
pub use task::{RunTask, TaskReport};
