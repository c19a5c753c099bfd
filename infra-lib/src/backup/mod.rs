//! Backups: making, listing, verifying, restoring and pruning them.
//!
//! A backup is a file (or a folder of files) and a manifest. The file is written under a temporary name, synced,
//! hashed and decoded completely. Then it is renamed, and the manifest is published last, also by rename. A file
//! without a manifest does not count as a backup, and every file named by a manifest was read to its end.

pub(crate) mod catalogue;
mod decode;
mod destruction;
mod diagnose;
mod digest;
pub(crate) mod draft;
pub(crate) mod drill;
mod dump;
mod dump_header;
mod error;
pub(crate) mod facts;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod foreign;
mod globals;
mod kind;
pub(crate) mod leftovers;
mod listing;
pub(crate) mod make;
mod manifest;
pub(crate) mod name;
mod numbers;
mod occupants;
pub(crate) mod packed;
pub(crate) mod preflight;
pub(crate) mod property;
pub(crate) mod prune;
mod received;
mod record;
pub(crate) mod restore;
mod restore_order;
pub(crate) mod restricted_role;
mod retention;
mod row_count;
pub(crate) mod safety;
mod sanity;
#[cfg(feature = "schema")]
mod schema;
pub(crate) mod scratch_db;
mod script;
pub(crate) mod set;
mod summary;
pub(crate) mod swap;
mod table_rows;
pub(crate) mod tarball;
mod toc;
pub(crate) mod tools;
pub(crate) mod unfinished;
pub(crate) mod verify;

pub(crate) use error::BackupError;
pub use listing::{Listed, Listing};
pub use manifest::Format;
pub(crate) use manifest::{BackupManifest, Proof, ProofKind, SCHEMA};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub(crate) use summary::{StatLines, Tally};
