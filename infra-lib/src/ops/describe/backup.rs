//! The newest backup, as its manifest says.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::project::Project;

/// The newest backup of the project's database.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LastBackup {
    /// Its file.
    pub file: Utf8PathBuf,
    /// When it was made.
    pub created: Timestamp,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it was verified.
    pub verified: bool,
}

/// The few keys of a backup's manifest that matter here.
#[derive(Deserialize)]
struct Manifest {
    created: Timestamp,
    file: Utf8PathBuf,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    verified: Value,
    #[serde(default)]
    environment: Option<String>,
}

/// A backup counts once its manifest is there. What is no manifest is left out.
pub(super) fn last(project: &Project) -> Option<LastBackup> {
    let dir = project.root().join(project.manifest().backup.dir.as_deref().unwrap_or(Utf8Path::new("backups")));
    let entries = dir.read_dir_utf8().ok()?.flatten().filter(|entry| entry.path().extension() == Some("json"));
    let manifests = entries.filter_map(|entry| {
        let manifest: Manifest = serde_json::from_slice(&std::fs::read(entry.path()).ok()?).ok()?;
        let own = manifest.environment.as_ref().is_none_or(|name| *name == project.environment().name);
        own.then_some(manifest)
    });
    let newest = manifests.max_by_key(|manifest| manifest.created)?;
    Some(LastBackup {
        file: dir.join(&newest.file),
        created: newest.created,
        bytes: newest.bytes,
        verified: !newest.verified.is_null() && newest.verified != Value::Bool(false),
    })
}
