//! Steps common to all archives of files: verification, and the manifest that records it.

use std::time::Instant;

use jiff::Timestamp;

use crate::project::Project;
use crate::project::error::Result;
use crate::report::millis;

use super::draft::Draft;
use super::folder::Folder;
use super::make::FinishedBackup;
use super::manifest::{BackupManifest, Format, Proof, ProofKind};
use super::summary::Tally;
use super::verify::{Archive, Digest};

/// An archive that was synced, hashed and read to its end.
pub(crate) struct Proven {
    digest: Digest,
    pub(crate) tally: Tally,
    proof: Proof,
    is_durable: bool,
}

impl Proven {
    pub(crate) fn read(project: &Project, folder: &Folder, draft: &Draft<'_>) -> Result<Self> {
        project.step("verifying it");
        let is_durable = draft.sync()?;
        let part = draft.part();
        let archive = Archive { folder, name: &part, format: Format::Tar };
        let digest = archive.digest(project)?;
        let decoding = Instant::now();
        let tally = archive.decode_tar(project, None)?;
        let proof = Proof { kind: ProofKind::Decode, at: Timestamp::now(), took_ms: millis(decoding.elapsed()) };
        Ok(Self { digest, tally, proof, is_durable })
    }

    /// Publishes the archive as a backup.
    pub(crate) fn publish(
        self,
        project: &Project,
        folder: &Folder,
        draft: Draft<'_>,
        mut manifest: BackupManifest,
        began: Instant,
    ) -> Result<FinishedBackup> {
        (manifest.bytes, manifest.sha256) = (self.digest.bytes, self.digest.sha256);
        manifest.compression = Some("gzip".to_owned());
        manifest.objects = self.tally.to_objects();
        manifest.verified = vec![self.proof];
        if self.is_durable { "full" } else { "none" }.clone_into(&mut manifest.durability);
        manifest.duration_ms = millis(began.elapsed());
        let name = draft.publish(&manifest, project.cancel())?;
        Ok(FinishedBackup { name, path: folder.path().join(&manifest.file), manifest })
    }
}
