//! Making a backup of a volume.

use std::io::{self, Write as _};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::backup::catalogue::Catalogue;
use crate::backup::draft::{Data, Draft, stem};
use crate::backup::folder::Folder;
use crate::backup::make::{Made, check_room};
use crate::backup::packed::Proven;
use crate::backup::{BackupError, BackupManifest, Format};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::report::Unit;

use super::{Keeper, Volume, read};

/// How a volume's backup is made.
#[derive(Debug, Clone)]
pub(crate) struct VolumeMaking<'o> {
    pub(crate) volume: &'o Volume,
    pub(crate) label: Option<&'o str>,
    /// The set that it belongs to.
    pub(crate) set: Option<&'o str>,
}

impl VolumeMaking<'_> {
    /// Makes it in a folder whose lock the caller holds, as the volumes' as well.
    pub(crate) fn run(&self, project: &Project, folder: &Folder) -> Result<Made> {
        let volume = self.volume;
        self.check(project)?;
        let catalogue = Catalogue::of(Some(Folder::open(folder.path())?))?;
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
            // Its record is lost, and it was in another checkout perhaps; what is in the volume says enough.
            drop(draft);
            keeper.heal()?.tell(project, volume);
            return self.run(project, folder);
        }
        if !draft.is_in_place() {
            let (path, what) = (folder.path().to_owned(), "was exchanged while it was written to");
            return Err(BackupError::Unsafe { path, what }.into());
        }
        if before.others() > 0 {
            warnings.push(format!("{} sockets or devices are not kept", before.others()));
        }

        let proven = Proven::read(project, folder, &draft)?;
        let tally = &proven.tally;
        if *tally != *before.tally() {
            // Either the volume has changed meanwhile, or something of it was not read.
            if read::numbers(&mut keeper)?.tally() == before.tally() {
                let reason = "the archive does not hold what the volume does".to_owned();
                return Err(BackupError::Incomplete { reason }.into());
            }
            warnings.push(
                "the volume changed while it was read: files of different moments stand beside each other".to_owned(),
            );
        }

        let mut manifest = BackupManifest::begin(project, draft.file(), Format::Tar, now)?;
        manifest.sequence = catalogue.next_sequence();
        manifest.label = self.label.map(str::to_owned);
        manifest.set = self.set.map(str::to_owned);
        manifest.volume = Some(volume.key.clone());
        manifest.warnings = warnings;
        proven.publish(project, folder, draft, manifest, began)
    }

    /// An error if it is a volume that is not to be backed up by its files.
    pub(crate) fn check(&self, project: &Project) -> Result<()> {
        self.volume.refuse_postgres(project)?;
        self.volume.refuse_running_database(project)
    }

    /// Says in a dry run what would be made.
    pub(crate) fn show(&self, project: &Project) -> Result<()> {
        let what = format!("back up the volume {} ({})", self.volume.key, self.volume.name);
        project.runner().apply(what, || Ok::<_, Error>(())).map(drop)
    }
}

/// Compresses the volume's archive into the draft.
fn fill(
    project: &Project,
    keeper: &mut Keeper<'_>,
    draft: &Draft<'_>,
    folder: &Folder,
) -> Result<(read::Numbers, Vec<String>)> {
    let Data::File(file) = draft.data() else {
        return Err(BackupError::Incomplete { reason: "its draft is no file".to_owned() }.into());
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
