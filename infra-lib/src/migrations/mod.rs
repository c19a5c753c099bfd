//! Migrations and seeds: SQL files that each happen once.
//!
//! The format is sqlx's: `<VERSION>_<description>.sql` or `.up.sql`/`.down.sql`, the table `_sqlx_migrations`, SHA-384
//! checksums of the raw text, and its advisory lock; so a service may run `sqlx::migrate!()` at its start and this
//! library the same files, on the same database, in any order.

mod baseline;
mod error;
mod file;
mod ledger;
mod lexer;
mod plan;
mod run;
mod script;
mod seeds;

pub use error::MigrationError;
pub(crate) use run::{Applied, bring_up};
pub(crate) use seeds::sow;
