//! Starting other programs: the only place where it happens.
//!
//! An [`Invocation`] is a value that says what would run; the [`Runner`] runs it. The runner gives every child a process
//! group of its own, a deliberate environment, a deadline, a bounded tail of what it printed, and an end when the caller
//! cancels. Dry run and the masking of secrets live here alone, so that no operation has to remember them.

mod cancel;
mod environment;
mod error;
mod inlet;
mod invocation;
mod listen;
mod pipe;
mod program;
mod redact;
mod runner;
mod supervise;
mod tail;
mod terminal;

pub use cancel::CancelToken;
pub(crate) use environment::inherited;
pub use error::ExecError;
pub use invocation::{Invocation, Stdin};
pub(crate) use pipe::Pipe;
pub use redact::Redactor;
pub(crate) use redact::percent_encode;
pub use runner::{Output, Runner};
pub use supervise::Stream;
pub(crate) use terminal::at_terminal;
