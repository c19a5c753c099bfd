//! The newest backup, as its manifest says.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::ProofKind;
use crate::backup::catalogue::Catalogue;
use crate::project::Project;

/// The newest backup of the project's database.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LastBackup {
    /// The path of its file or folder.
    pub file: Utf8PathBuf,
    /// When it was made.
    pub created: Timestamp,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it was verified, and is not suspect.
    pub verified: bool,
    /// When it was last restored for a trial.
    pub drilled: Option<Timestamp>,
}

/// What cannot be read is left out: `health` says what is wrong with it.
pub(super) fn last(project: &Project) -> Option<LastBackup> {
    let catalogue = Catalogue::read(project).ok()?;
    let newest = &catalogue.databases(project).next_back()?.manifest;
    Some(LastBackup {
        file: project.backup_dir().join(&newest.file),
        created: newest.created,
        bytes: newest.bytes,
        verified: newest.is_good(),
        drilled: newest.proof(ProofKind::Drill).map(|proof| proof.at),
    })
}
