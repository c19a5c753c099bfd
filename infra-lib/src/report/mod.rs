//! What operations say while they work.
//!
//! Operations emit [`Event`]s and return outcomes; they never print. Whoever runs them decides what becomes of the
//! events by giving the project an [`Observer`].

mod event;
mod plain;
#[cfg(feature = "cli")]
mod progress;
mod table;

pub use event::{Event, Observer, Silent, Unit};
pub(crate) use plain::printable;
pub use plain::{Plain, Verbosity};
#[cfg(feature = "cli")]
pub use progress::Progress;
pub(crate) use table::{ago, seconds, table};
