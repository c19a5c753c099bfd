//! The choices made by `setup`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compose::Engine;
use crate::config::ServicesAxis;

/// The choices of `setup` for this checkout. Only `setup` makes them.
///
/// Without a record, every command uses Compose or exits with 69. So an unreachable engine never turns tonight's
/// backup into one of an empty local database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Whether services run under Compose.
    pub services: ServicesAxis,
    /// Where the database runs.
    pub database: DatabaseAxis,
    /// The engine at the time of `setup`, if any. Destructive work on a different engine is refused.
    pub engine: Option<Engine>,
    /// The compose project's name, if the usual one was taken by another checkout.
    #[serde(default)]
    pub project_name: Option<String>,
    /// The local clusters by environment. No environment opens the data of another one.
    #[serde(default)]
    pub local: BTreeMap<String, LocalRecord>,
    /// When `setup` made these choices.
    pub at: Timestamp,
}

impl Record {
    pub(crate) const FILE: &'static str = "setup.json";
}

/// Where the database runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum DatabaseAxis {
    /// In a service of the stack.
    Service,
    /// In the project's own local cluster, without containers.
    Local,
    /// At an external server, given by its URL.
    Url,
}

/// The location of an environment's local cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocalRecord {
    /// Its folder: relative to the project, or absolute if the server's user cannot access the project folder.
    pub dir: Utf8PathBuf,
    /// The port on the loopback address, unless another process has taken it.
    pub port: u16,
}
