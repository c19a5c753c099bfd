//! `.env` as Compose reads it, or a refusal with the place: never a third reading.
//!
//! [`EnvFile`] keeps every byte of the file, so that [`EnvFile::set`] changes one value and nothing else;
//! [`resolve()`] says which value wins and where it came from; [`Generator`] draws secrets, [`fill()`] makes a new file
//! from a template, and [`check()`] finds what is missing, weak or read differently elsewhere.
//!
//! ```
//! use infra_lib::dotenv::{EnvFile, resolve};
//!
//! let file = EnvFile::parse(".env", b"HOST=db\nDATABASE_URL=postgres://${HOST:-localhost}/app\n")?;
//! let resolved = resolve(&[file], |_| None)?;
//! assert_eq!(resolved.value("DATABASE_URL"), Some("postgres://db/app"));
//! # Ok::<(), infra_lib::dotenv::DotenvError>(())
//! ```

mod beside;
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
mod readers;
mod redact;
mod resolve;
mod scan;
mod strength;
mod template;
mod values;

pub(crate) use beside::{beside, outside};
pub use check::{Expectations, check};
pub use edit::EditError;
pub use encode::Encoding;
pub use error::{DotenvError, SyntaxCause};
pub use finding::{Finding, FindingCode, Severity};
pub use generate::{GenerateError, Generator, InvalidGenerator};
pub use interpolate::{InterpolateError, Interpolated, interpolate};
pub use parse::{Entry, EnvFile, Quoting};
pub use placeholder::{is_marker, is_placeholder};
pub(crate) use redact::url_password;
pub use redact::{is_own_secret, looks_secret, shown};
pub use resolve::{Origin, Resolved, Shadowed, Unset, Variable, resolve};
pub use template::{FillError, Filled, fill};
