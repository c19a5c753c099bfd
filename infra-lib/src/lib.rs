//! Typed infrastructure operations.

mod checks;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compose;
pub mod consent;
pub mod dotenv;
mod error;
pub mod exec;
mod exit;
pub mod fs;
mod journal;
mod lock;
pub mod manifest;
mod migrations;
mod operation;
pub mod ops;
pub mod postgres;
pub mod probe;
mod project;
pub mod report;
mod secret;
mod state;
mod suggest;
mod users;

pub use error::{Error, Result};
pub use exec::CancelToken;
pub use exit::Exit;
pub use journal::Entry as JournalEntry;
pub use lock::{Guard, Lock, LockError, Mode};
pub use migrations::MigrationError;
pub use operation::{Group, Operation, Outcome};
pub use project::{Culprit, DatabaseAxis, Environment, LocalRecord, Project, ProjectBuilder, Record};
pub use secret::Secret;
pub use state::StateDir;
