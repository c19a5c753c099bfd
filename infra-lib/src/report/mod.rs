//! Progress reporting.
//!
//! Operations emit [`Event`]s and return outcomes; they never print. The caller receives the events by giving the
//! project an [`Observer`].

mod check;
pub(crate) mod command;
mod event;
pub(crate) mod plain;
#[cfg(feature = "cli")]
mod progress;
mod severity;
mod table;

pub(crate) use check::Listed;
pub use check::{Check, Verdict};
pub use command::CommandPrefix;
pub(crate) use event::Silent;
pub use event::{Event, Observer, Unit};
pub use plain::{Plain, Verbosity};
#[cfg(feature = "cli")]
pub use progress::Progress;
pub use severity::Severity;
pub(crate) use table::{ago, counted, millis, seconds, table};
