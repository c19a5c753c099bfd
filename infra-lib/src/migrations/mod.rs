//! Migrations and seeds: SQL files that are each applied once.
//!
//! The native format is sqlx's: `<VERSION>_<description>.sql` or `.up.sql`/`.down.sql`, the table `_sqlx_migrations`,
//! SHA-384 checksums of the raw text, and sqlx's advisory lock. So a service may run `sqlx::migrate!()` at startup
//! and this library may apply the same files to the same database, in any order. Migrations of other tools are run by
//! those tools: see `tools/`.

mod baseline;
pub(crate) mod breaking;
mod check;
mod context;
pub(crate) mod delegate;
mod down;
pub(crate) mod error;
mod failure;
mod file;
pub(crate) mod guard;
mod init_scripts;
mod invalid;
pub(crate) mod layout;
mod ledger;
mod lexer;
mod new;
mod orphans;
pub(crate) mod own_tool;
pub(crate) mod owner;
mod plan;
mod repair;
mod reset;
mod retry;
mod rules;
mod schema;
mod scratch_db;
mod script;
mod seeds;
mod session;
mod session_protocol;
pub(crate) mod status;
pub(crate) mod tools;
pub(crate) mod up;
mod version;
mod watch;

pub(crate) use baseline::baseline;
pub(crate) use check::{Checked, check};
pub(crate) use down::down;
pub(crate) use error::MigrationError;
pub(crate) use layout::folder;
pub(crate) use new::new;
pub use plan::State as MigrationState;
pub(crate) use repair::{Repaired, repair};
pub(crate) use reset::{Reset, reset};
pub(crate) use seeds::{Seed, apply_seeds, due as due_seeds};
pub use status::MigrationStatus;

pub(crate) use status::status;
pub(crate) use up::{Applied, PATIENCE, Wanted, up};
pub(crate) use version::Version;
