//! The command line, for a `main` of one line.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     infra_lib::cli::main()
//! }
//! ```
//!
//! A project with commands of its own flattens [`Command`] into its enum and calls [`parse`]; a name that both have is
//! the project's, so that a command that is added here never breaks it.

mod aliases;
mod assemble;
mod brief;
mod command;
mod commands;
mod completions;
mod end;
mod entry;
mod globals;
mod help;
mod help_json;
mod host;
mod prompt;
mod render;
mod run;
mod scheduled;
mod signals;
mod task;
mod tasks;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use host::{Cli, main, parse};
pub use run::Context;
