//! Migrations and seeds: SQL files that each happen once.
//!
//! The native format is sqlx's: `<VERSION>_<description>.sql` or `.up.sql`/`.down.sql`, the table `_sqlx_migrations`, SHA-384
//! checksums of the raw text, and its advisory lock; so a service may run `sqlx::migrate!()` at its start and this
//! library the same files, on the same database, in any order. What differs for other tools is in `tools/`.

mod backup;
mod baseline;
mod check;
mod crc32;
pub(crate) mod delegate;
mod down;
mod error;
mod failure;
mod file;
pub(crate) mod guard;
mod heard;
mod init_scripts;
mod invalid;
mod layout;
mod ledger;
mod lexer;
mod new;
mod opened;
mod orphans;
pub(crate) mod own_tool;
mod patience;
mod plan;
mod repair;
mod reset;
mod rules;
mod schema;
mod script;
mod seeds;
mod session;
mod spare;
mod status;
mod tool;
mod tools;
mod up;
mod version;
mod watch;

pub(crate) use backup::safety_backup;
pub(crate) use baseline::baseline;
pub(crate) use check::{Checked, check};
pub(crate) use down::down;
pub use error::MigrationError;
pub(crate) use new::new;
pub use plan::State as MigrationState;
pub(crate) use repair::{Repaired, repair};
pub(crate) use reset::{Reset, reset};
pub(crate) use seeds::{Seed, due as due_seeds, sow};
pub use status::MigrationStatus;
pub(crate) use status::{Standing, status};
pub(crate) use tool::literal;
pub(crate) use up::{Applied, PATIENCE, Wanted, up};
pub(crate) use version::Version;
