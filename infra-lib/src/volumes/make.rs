//! Makes a backup of a volume.

use std::io::{self, Write as _};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::backup::catalogue::Catalogue;
use crate::backup::draft::{Data, Draft, stem};
use crate::backup::folder::Folder;
use crate::backup::make::{FinishedBackup, check_room};
use crate::backup::packed::Proven;
use crate::backup::{BackupError, BackupManifest, Format};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::Unit;

use super::hint::of_volume;
use super::{Keeper, Volume, read};

/// A backup of one volume, with its options.
#[derive(Debug, Clone)]
pub(crate) struct VolumeBackupJob<'o> {
    pub(crate) volume: &'o Volume,
    pub(crate) label: Option<&'o str>,
    /// The id of the set that the backup belongs to.
    pub(crate) set: Option<&'o str>,
}

impl VolumeBackupJob<'_> {
    /// Makes the backup. The caller holds the locks of `folder` and of the volumes.
    pub(crate) fn run(&self, project: &Project, folder: &Folder) -> Result<FinishedBackup> {
        self.make(project, folder).map_err(of_volume)
    }

    fn make(&self, project: &Project, folder: &Folder) -> Result<FinishedBackup> {
        let volume = self.volume;
        self.check(project)?;
        let catalogue = Catalogue::from_folder(Some(Folder::open(folder.path())?))?;
        let began = Instant::now();
        let last = catalogue.volumes(project, &volume.key).rfind(|entry| entry.manifest.is_good());
        check_room(folder, last.map(|last| &last.manifest))?;

        project.step(format_args!("backing up the volume {}", volume.key));
        let mut keeper = Keeper::new(project, volume)?;
        keeper.sweep();
        let now = Timestamp::now();
        let stem = stem(project.name(), &format!("volume.{}", volume.key), self.label, now);
        let draft = Draft::begin(folder, stem, Format::Tar)?;
        let (before, mut warnings) = fill(project, &mut keeper, &draft, folder)?;
        if before.is_unfinished {
            // Without a record (perhaps of another checkout), the volume's content is enough to recover.
            drop(draft);
            keeper.recover()?.tell(project, volume);
            return self.make(project, folder);
        }
        if !draft.is_in_place() {
            let (path, what) = (folder.path().to_owned(), "was replaced while it was written to");
            return Err(BackupError::Unsafe { path, what }.into());
        }
        if before.others() > 0 {
            warnings.push(format!("{} sockets or devices are not backed up", before.others()));
        }

        let proven = Proven::read(project, folder, &draft)?;
        let tally = &proven.tally;
        if *tally != *before.tally() {
            // A difference means that the volume changed in the meantime, or that something was not read.
            if read::numbers(&mut keeper)?.tally() == before.tally() {
                let reason = "the archive differs from the volume".to_owned();
                return Err(BackupError::Incomplete { reason }.into());
            }
            warnings
                .push("the volume changed while it was read: the archive mixes files of different moments".to_owned());
        }

        let mut manifest = BackupManifest::begin(project, draft.file(), Format::Tar, now)?;
        manifest.sequence = catalogue.next_sequence();
        manifest.label = self.label.map(str::to_owned);
        manifest.set = self.set.map(str::to_owned);
        manifest.volume = Some(volume.key.clone());
        manifest.warnings = warnings;
        proven.publish(project, folder, draft, manifest, began)
    }

    /// An error if the volume must not be backed up as files.
    pub(crate) fn check(&self, project: &Project) -> Result<()> {
        self.volume.refuse_postgres(project)?;
        self.volume.refuse_running_database(project)
    }

    /// Prints in a dry run what would be backed up.
    pub(crate) fn show(&self, project: &Project) -> Result<()> {
        let what = format!("back up the volume {} ({})", self.volume.key, self.volume.name);
        project.runner().apply(what, || Ok::<_, Error>(())).map(drop)
    }
}

/// Writes the volume's compressed archive into the draft.
fn fill(
    project: &Project,
    keeper: &mut Keeper<'_>,
    draft: &Draft<'_>,
    folder: &Folder,
) -> Result<(read::Numbers, Vec<String>)> {
    let Data::File(file) = draft.data() else {
        return Err(BackupError::Incomplete { reason: "its draft is not a file".to_owned() }.into());
    };
    let mut packer = GzEncoder::new(io::BufWriter::with_capacity(1 << 18, file), Compression::fast());
    let mut full = None;
    let mut done = 0;
    let read = read::archive(keeper, folder.path(), |chunk| {
        done += chunk.len() as u64;
        project.progress("reading", done, None, Unit::Bytes);
        packer.write_all(chunk).inspect_err(|error| full = Some(error.kind()))
    });
    let written = match (full, read) {
        (Some(kind), _) => Err(kind.into()),
        (None, Err(error)) => return Err(error),
        (None, Ok(read)) => packer.finish().and_then(|mut file| file.flush()).map(|()| read),
    };
    written.map_err(Error::file("write", folder.path().join(draft.file())))
}
