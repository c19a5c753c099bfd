//! Rules for a project's compose files, Dockerfiles and env files, one family per file.
//!
//! A family has its rules as constants, and a function that checks a `Context` and reports where they
//! are violated. A new rule is a constant in its family's `RULES` and a row in `docs/policy.md`; a new family a line in
//! `FAMILIES` in `rules`.

mod allow;
mod build_context;
mod context;
mod env_files;
mod finding;
mod hardening;
mod images;
mod judge;
mod mounts;
mod networks;
mod ports;
mod resolved;
mod rules;
mod running;
mod sarif;
mod scan;
mod scanner;
mod secrets;
mod users;
mod variables;

pub use crate::report::Severity;
pub use finding::{PolicyFinding, Rule};
pub(crate) use judge::{Judgement, judge};
pub use rules::rules;
pub(crate) use sarif::sarif;
