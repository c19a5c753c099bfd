//! The error type of every operation.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use camino::Utf8PathBuf;

use crate::exit::Exit;
use crate::failure::{ErrorKind, Failure};
use crate::fs::error::FileError;

/// The result type of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
///
/// The message is a lowercase fragment that does not repeat its source. [`Error::hint`] says how to fix it,
/// [`Error::kind`] what kind of error it is, and [`Error::exit`] which exit code a command ends with.
pub struct Error {
    failure: Box<dyn Failure>,
    hint: Option<String>,
}

impl Error {
    /// Creates an error with its own message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Stopped { exit, message: message.into() }.into()
    }

    /// Adds a hint, unless the error already has one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn file(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let on = FileError::on(action, path);
        move |source| on(source).into()
    }

    /// How to fix the problem, starting with a verb.
    pub fn hint(&self) -> Option<String> {
        self.failure.hint().or_else(|| self.hint.clone())
    }

    /// The exit code of a command that ends with this error.
    pub fn exit(&self) -> Exit {
        self.failure.exit()
    }

    /// The kind of the error, for callers that handle it.
    pub fn kind(&self) -> ErrorKind {
        self.failure.kind()
    }

    /// The underlying error, if it has this type.
    pub fn downcast_ref<F: Failure>(&self) -> Option<&F> {
        let failure: &dyn Any = &*self.failure;
        failure.downcast_ref()
    }

    /// The underlying error by value, or `None` if it has another type.
    pub(crate) fn downcast<F: Failure>(self) -> Option<F> {
        let failure: Box<dyn Any> = self.failure;
        failure.downcast().ok().map(|failure| *failure)
    }
}

impl<F: Failure> From<F> for Error {
    fn from(failure: F) -> Self {
        Self { failure: Box::new(failure), hint: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.failure, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.failure.source()
    }
}

/// An error that an operation creates itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Stopped {
    exit: Exit,
    message: String,
}

impl Failure for Stopped {
    fn exit(&self) -> Exit {
        self.exit
    }
}
