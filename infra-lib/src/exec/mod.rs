//! Running other programs. Only this module starts processes.
//!
//! An [`Invocation`] is a value that describes a command; the [`Runner`] runs it. The runner gives every child its
//! own process group, a controlled environment, a deadline and a bounded tail of its output, and terminates it on
//! cancellation. Dry run and the masking of secrets are implemented here only, so operations cannot forget them.

mod environment;
pub(crate) mod error;
mod fifo;
pub(crate) mod invocation;
mod listen;
mod pipe;
mod program;
mod redact;
mod runner;
mod supervise;
mod tail;
mod terminal;
mod transient;

pub(crate) use environment::inherited;
pub(crate) use error::ExecError;
pub(crate) use invocation::{Invocation, Stdin};
pub(crate) use pipe::Pipe;
pub(crate) use redact::Redactor;
pub(crate) use redact::percent_encode;
pub(crate) use runner::{Output, Runner};
pub(crate) use supervise::Stream;
pub(crate) use terminal::{at_stdout, at_terminal};
