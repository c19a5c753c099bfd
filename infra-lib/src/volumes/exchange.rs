//! Replaces a volume's content with that of an archive, by renames.
//!
//! The archive is unpacked into a folder in the volume, `.infra-restore-<word>/new`, and compared with its manifest.
//! Then all existing files are moved to the folder's `old`, and the new files take their place. The folder's name
//! records the progress, so that an interrupted restore can be finished or undone: without a suffix nothing was
//! moved; `.away` means that only old files were moved; `.in` that all old files are moved; `.done` that only the old
//! files remain to be removed.

use std::fs::File;
use std::io;

use crate::backup::folder::Folder;
use crate::backup::tarball::{self, Bounds, Member};
use crate::backup::verify::Archive;
use crate::backup::{BackupError, BackupManifest, Tally};
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::hex;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::Unit;

use super::helper_container::Access;
use super::hint::of_volume;
use super::read::Parts;
use super::{Keeper, Volume};

/// An archive that was read completely and is safe to unpack.
pub(crate) struct Checked<'a> {
    folder: &'a Folder,
    manifest: &'a BackupManifest,
    /// Owner, mode and modification time of the volume's root folder.
    root: [String; 3],
}

/// Unpacks stdin into `$1/new` and prints a summary of the result.
const UNPACK: &str = r#"
for tool in tar find stat mv rm chown chmod touch; do command -v "$tool" >/dev/null || exit 127; done
mkdir "$1" && chmod 700 "$1" && mkdir "$1/new" "$1/old" || exit 1
printf '%s\n' "$3" "$4" "$5" >"$1/root" || exit 1
cd "$1/new" || exit 1
case "$(tar --version 2>/dev/null)" in
*GNU*) tar --numeric-owner --same-owner -p --xattrs '--xattrs-include=*' -xf - ;;
*) tar --numeric-owner -xpf - ;;
esac || exit 1
sync
find . -mindepth 1 -exec stat -c '%f %s %h %i %u %g' {} + || exit 1
echo "$2"
"#;

/// Swaps in the content of `$1`, if given, and then finishes or undoes every interrupted restore.
const EXCHANGE: &str = r#"
into() { find "$1" -mindepth 1 -maxdepth 1 ! -name '.infra-restore-*' -exec sh -c 'exec mv -f -- "$@" "$0"' "$2" {} +; }
is_empty() { [ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name '.infra-restore-*')" ]; }
if [ -n "$1" ]; then
  mv "$1" "$1.away" || exit 1
  into . "./$1.away/old" && is_empty . || exit 1
  mv "$1.away" "$1.in" || exit 1
fi
for at in .infra-restore-*; do
  [ -d "$at" ] || continue
  case "$at" in
  *.away)
    into "./$at/old" . && is_empty "./$at/old" && rm -rf "./$at" || exit 1
    echo back ;;
  *.in)
    into "./$at/new" . && is_empty "./$at/new" || exit 1
    { read -r owner; read -r mode; read -r time; } <"$at/root"
    if [ -n "$owner" ]; then chown "$owner" . && chmod "$mode" . || exit 1; fi
    sync
    done=${at%.in}.done
    mv "$at" "$done" && rm -rf "./$done" || exit 1
    if [ -n "$time" ]; then touch -d "@$time" .; fi
    echo on ;;
  *)
    rm -rf "./$at" || exit 1
    echo swept ;;
  esac
done
sync
"#;

/// Prints the free space of the volume's disk in the fourth column.
const ROOM: &str = "df -Pk . | tail -n 1";

/// The result of recovering from an interrupted restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Healed {
    /// No restore was interrupted.
    Nothing,
    /// The volume has its previous content.
    Undone,
    /// The volume has the restored content.
    Finished,
}

impl<'a> Checked<'a> {
    /// Compares the archive with its manifest and reads each member. The volume is not changed.
    pub(crate) fn read(project: &Project, folder: &'a Folder, manifest: &'a BackupManifest) -> Result<Self> {
        Self::check(project, folder, manifest).map_err(of_volume)
    }

    fn check(project: &Project, folder: &'a Folder, manifest: &'a BackupManifest) -> Result<Self> {
        project.step(format_args!("verifying {}", manifest.file));
        let archive = Archive::new(folder, manifest);
        archive.check_digest(project, manifest)?;
        let mut root = Default::default();
        let tally = pass(project, folder, manifest, "verifying", |member, _| {
            if member.path.starts_with(b".infra-restore-") {
                return Err(tarball::bad("a member has a reserved name"));
            }
            if member.path.is_empty() {
                let (user, group) = member.owner;
                root = [format!("{user}:{group}"), format!("{:o}", member.mode), member.mtime.to_string()];
            }
            Ok(())
        })?;
        if !tally.is_stated_by(&manifest.objects) {
            let what = "its files are not those of its manifest".to_owned();
            return Err(BackupError::Damaged { file: manifest.file.clone(), what }.into());
        }
        Ok(Self { folder, manifest, root })
    }

    /// The total size of its files in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.manifest.objects.get("bytes").copied().unwrap_or(0)
    }
}

/// Reads the complete archive.
fn pass(
    project: &Project,
    folder: &Folder,
    manifest: &BackupManifest,
    what: &str,
    mut on_member: impl FnMut(&Member, &mut dyn io::Read) -> io::Result<()>,
) -> Result<Tally> {
    let failed = |error: io::Error| Error::file("read", folder.path().join(&manifest.file))(error);
    let file = io::BufReader::with_capacity(1 << 18, folder.open_file(&manifest.file).map_err(failed)?);
    let (total, mut done) = (manifest.objects.get("bytes").copied(), 0);
    let read = tarball::read(file, Bounds::from_manifest(Some(manifest)), |member, content| {
        project.cancel().check().map_err(|_| io::Error::from(io::ErrorKind::Interrupted))?;
        done += member.size;
        project.progress(what, done, total, Unit::Bytes);
        on_member(member, content)
    });
    project.cancel().check()?;
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => {
            BackupError::Damaged { file: manifest.file.clone(), what: error.to_string() }.into()
        }
        _ => failed(error),
    })
}

impl Keeper<'_> {
    /// An error if the volume's disk cannot hold the archive in addition to the existing files.
    pub(crate) fn check_room(&mut self, checked: &Checked<'_>) -> Result<()> {
        let mut text = Vec::new();
        self.run(Access::Read, ROOM, &[], None, |chunk| {
            text.extend_from_slice(chunk);
            Ok(())
        })?;
        let text = String::from_utf8_lossy(&text);
        let Some(free) = text.split_whitespace().nth(3).and_then(|blocks| blocks.parse::<u64>().ok()) else {
            return Ok(());
        };
        let (free, needed) = (free.saturating_mul(1024), checked.bytes().saturating_mul(105) / 100);
        if free >= needed {
            return Ok(());
        }
        let (free, needed) = (ByteSize::new(free), ByteSize::new(needed));
        Err(Error::new(Exit::CannotCreate, format!("the volume's disk has {free} free, and the backup needs {needed}"))
            .with_hint("free some space there; the volume keeps its content until the new one is verified"))
    }

    /// Unpacks the archive into a folder of the volume and compares it. Returns the random part of the folder's name.
    pub(crate) fn unpack(&mut self, project: &Project, checked: &Checked<'_>) -> Result<String> {
        let Checked { folder, manifest, root: [owner, mode, time] } = checked;
        let place = format!(".infra-restore-{}", hex::random_digits(16)?);
        let separator = hex::random_digits(32)?;
        let mut parts = Parts::new(&separator);
        let mut fed = None;
        let args = [place.as_str(), &separator, owner, mode, time];
        let ended = self.feed(
            UNPACK,
            &args,
            |pipe: &File| {
                let mut broken = None;
                let mut builder = tar::Builder::new(io::BufWriter::with_capacity(1 << 18, pipe));
                let read = pass(project, folder, manifest, "restoring", |member, content| {
                    if member.path.is_empty() {
                        return Ok(());
                    }
                    tarball::append(&mut builder, member, content).inspect_err(|error| broken = Some(error.kind()))
                });
                if let Some(kind) = broken {
                    return Err(kind.into());
                }
                let written = builder.into_inner().and_then(|mut pipe| io::Write::flush(&mut pipe));
                fed = Some(read);
                written
            },
            |chunk| parts.take(chunk, |_| Ok(())),
        );
        // An error in the archive is more useful than what its reader reports about it.
        let tally = match fed {
            Some(Err(error)) => return Err(error),
            Some(Ok(tally)) => ended.map(|()| tally)?,
            None => return Err(ended.err().unwrap_or_else(|| Error::new(Exit::Io, "the archive was not passed on"))),
        };
        if !parts.is_past || tally != *parts.numbers.tally() {
            let what = format!(
                "{} files of {} bytes were expected, but {} of {} bytes were unpacked",
                tally.files,
                tally.bytes,
                parts.numbers.tally().files,
                parts.numbers.tally().bytes
            );
            return Err(BackupError::Differs { what }.into());
        }
        Ok(place)
    }

    /// Replaces the volume's content with the unpacked files.
    pub(crate) fn exchange(&mut self, place: &str) -> Result<()> {
        self.settle(place).map(drop)
    }

    /// Finishes or undoes an interrupted restore in the volume.
    pub(crate) fn recover(&mut self) -> Result<Healed> {
        self.settle("")
    }

    fn settle(&mut self, place: &str) -> Result<Healed> {
        let mut text = Vec::new();
        self.run(Access::Write, EXCHANGE, &[place], None, |chunk| {
            text.extend_from_slice(chunk);
            Ok(())
        })?;
        let text = String::from_utf8_lossy(&text);
        Ok(match text.lines().next() {
            None => Healed::Nothing,
            Some("on") => Healed::Finished,
            Some(_) => Healed::Undone,
        })
    }
}

impl Healed {
    /// Reports the recovery to the user.
    pub(crate) fn tell(self, project: &Project, volume: &Volume) {
        let key = &volume.key;
        match self {
            Self::Nothing => {}
            Self::Undone => project.note(format_args!(
                "an interrupted restore of the volume {key} was undone: it has its previous content"
            )),
            Self::Finished => project.note(format_args!(
                "an interrupted restore of the volume {key} was completed: it has the restored content"
            )),
        }
    }
}
