//! Makefiles of other projects: read, never run, and turned into what `infra.toml` can say.
//!
//! Lines become statements, statements rules and variables. A target is then a command of ours where its recipe is exactly
//! one call that a command replaces, a task that does what the recipe does, or it is left out with the reason.

mod arguments;
mod builtin;
mod compose;
mod conditions;
mod contexts;
mod convert;
mod database;
mod decide;
mod facts;
mod include;
mod lines;
mod migrating;
mod output;
mod parse;
#[cfg(test)]
mod random_tests;
mod read;
mod recipe;
mod report;
mod risk;
mod rules;
mod script;
mod statement;
#[cfg(test)]
mod tests;
mod text;
mod variables;

pub(crate) use facts::{DatabaseFacts, Facts};
pub(crate) use read::read;
pub use report::{FromMakefile, LeftOut, MadeTask, NowCommand};
