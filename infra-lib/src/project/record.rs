//! What `setup` chose.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compose::Engine;
use crate::manifest::ServicesAxis;

/// The choices that `setup` made for this checkout and that nobody else makes.
///
/// Without a record, every command works with Compose or ends with 69; so a dead engine never turns tonight's backup
/// into one of an empty local database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Whether services run.
    pub services: ServicesAxis,
    /// Where the database is.
    pub database: DatabaseAxis,
    /// The engine, if there was one; destructive work on another one is refused.
    pub engine: Option<Engine>,
    /// The compose project's name, where the usual one belonged to another checkout.
    #[serde(default)]
    pub project_name: Option<String>,
    /// The local clusters, by environment: no environment opens another one's data.
    #[serde(default)]
    pub local: BTreeMap<String, LocalRecord>,
    /// When.
    pub at: Timestamp,
}

impl Record {
    pub(crate) const FILE: &'static str = "setup.json";
}

/// Where the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum DatabaseAxis {
    /// A service of the stack.
    Service,
    /// A cluster of the project's own, without containers.
    Local,
    /// A managed one, by its URL.
    Url,
}

/// Where the local cluster of an environment lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocalRecord {
    /// Its folder: relative to the project, or absolute where the server's user could not enter the project.
    pub dir: Utf8PathBuf,
    /// The port that it listens on, on the loopback address, unless that is taken by something else.
    pub port: u16,
}
