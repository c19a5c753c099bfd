//! Reading `.env` files exactly like Compose, or rejecting them with the location of the error.
//!
//! [`EnvFile`] keeps every byte of the file, so that [`EnvFile::set`] changes one value and nothing else;
//! [`resolve()`] says which value wins and where it came from; [`Generator`] draws secrets, [`fill()`] makes a new file
//! from a template, and [`check()`] finds what is missing, weak or read differently elsewhere.

mod check;
mod edit;
mod encode;
mod error;
mod escape;
mod finding;
mod generate;
mod interpolate;
mod parse;
mod placeholder;
mod portability;
mod redact;
pub(crate) mod references;
mod resolve;
pub(crate) mod rule;
mod scan;
mod service_file;
mod strength;
mod template;
mod values;

pub use check::{Expectations, check};
pub(crate) use edit::EditError;
pub(crate) use encode::Encoding;
pub use error::{DotenvError, SyntaxCause};
pub use finding::{Finding, FindingCode};
pub(crate) use generate::GenerateError;
pub use generate::{Generator, InvalidGenerator};
pub(crate) use interpolate::{InterpolateError, interpolate};
pub use parse::EnvFile;
pub(crate) use parse::{Entry, Quoting};
pub(crate) use placeholder::{is_marker, is_placeholder};
pub(crate) use redact::url_password;
pub(crate) use redact::{contains_secret, is_own_secret, looks_secret, shown};
pub use resolve::{Origin, Resolved, Shadowed, Variable, resolve};
pub(crate) use service_file::{beside, outside};
pub(crate) use template::{FillError, fill};
