//! `release.json`: what a release consists of.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A release, as its `release.json` describes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Release {
    /// The version of this format: 1.
    pub schema: u32,
    /// The time of its creation and the beginning of its commit: `20261128T154900Z-70afa8f`.
    pub id: String,
    /// The environment that it was made for.
    pub environment: String,
    /// When it was created.
    pub created: Timestamp,
    /// The system user that created it.
    pub by: String,
    /// The commit it was made from; `None` outside a git repository.
    pub git: Option<Commit>,
    /// The SHA-256 of everything below. Equal content is the same release.
    pub content: String,
    /// The image of each service.
    pub images: BTreeMap<String, PinnedImage>,
    /// Every file in the release.
    pub files: Vec<ReleaseFile>,
    /// The compose files among them, in order of precedence.
    pub compose: Vec<Utf8PathBuf>,
    /// The folder of the compose project, relative to the project's folder.
    pub directory: Utf8PathBuf,
    /// The profiles that are active.
    pub profiles: Vec<String>,
    /// Configuration that is mounted into containers.
    pub mounts: Vec<ReleaseMount>,
    /// Whether it contains migrations.
    pub migrations: bool,
    /// The version of this tool.
    pub tool: String,
}

/// The folder of a release's migrations among its files.
pub(crate) const MIGRATIONS: &str = "migrations";

/// The commit that a release was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Commit {
    /// Its full name, 40 hexadecimal digits or 64.
    pub commit: String,
    /// The branch that was checked out, if any.
    pub branch: Option<String>,
    /// Whether files had changes that were not committed.
    pub dirty: bool,
}

/// The image that a service runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PinnedImage {
    /// Its name in the compose files.
    pub name: String,
    /// Its id on the engine.
    pub id: String,
    /// The size of its layers in bytes.
    pub bytes: u64,
}

/// A file in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseFile {
    /// Its path below the release's `files/`.
    pub path: Utf8PathBuf,
    /// The SHA-256 of its content.
    pub sha256: String,
}

/// Configuration that a container mounts: a copy below `.infra/files`, named by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReleaseMount {
    /// The service's name in the compose files.
    pub service: String,
    /// The path in its containers.
    pub target: String,
    /// The path of the copy, below `.infra/files`.
    pub path: Utf8PathBuf,
    /// Whether the containers cannot write to it.
    pub read_only: bool,
}
