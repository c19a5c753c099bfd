//! Backups: what one is, where they are kept, how one is made, proven and restored.
//!
//! A backup is a file (or a folder of files) and a manifest beside it. The file is written under another name, synced,
//! hashed and decoded whole; then it is given its name, and last of all the manifest appears by rename. Whatever has no
//! manifest is no backup, and whatever is named by one was read to its end.

pub(crate) mod beside;
pub(crate) mod catalogue;
mod decode;
mod diagnose;
mod digest;
pub(crate) mod draft;
pub(crate) mod drill;
mod dump;
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
pub(crate) mod packed;
mod passes;
pub(crate) mod preflight;
pub(crate) mod prune;
mod remarks;
pub(crate) mod restore;
mod retention;
#[cfg(feature = "schema")]
mod schema;
mod script;
pub(crate) mod set;
mod suspicion;
pub(crate) mod swap;
mod tally;
pub(crate) mod tarball;
mod toc;
pub(crate) mod verify;

pub(crate) use digest::hex;
pub use error::BackupError;
pub use listing::{Listed, Listing};
pub use manifest::{
    BackupManifest, DatabaseFacts, FileDigest, Format, GitState, MigrationState, Proof, ProofKind, SCHEMA, TableRows,
};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub(crate) use tally::{StatLines, Tally};
