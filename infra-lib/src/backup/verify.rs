//! Verifies that an archive is complete: checks its digest and decodes all of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use rustix::fs::FileType;

use crate::exec::ExecError;
use crate::postgres::Toolbox;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::Unit;

use super::BackupError;
use super::decode::{Decoded, Decoder};
use super::digest;
use super::folder::Folder;
use super::manifest::{BackupManifest, FileDigest, Format};
use super::summary::Tally;
use super::tarball::{self, Bounds};
use super::toc::Contents;

/// An archive in a folder: a file, or a folder of files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Archive<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) name: &'a str,
    pub(crate) format: Format,
}

/// The decoded content of an archive.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) decoded: Decoded,
    pub(crate) contents: Contents,
}

/// Size and digest of the file on the disk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) files: Vec<FileDigest>,
}

/// How long an archive's reader may produce no output.
const STALL: Duration = Duration::from_secs(120);

impl<'a> Archive<'a> {
    /// The archive of the backup that the manifest describes.
    pub(crate) fn new(folder: &'a Folder, manifest: &'a BackupManifest) -> Self {
        Self { folder, name: &manifest.file, format: manifest.format }
    }

    /// Computes the current digest.
    pub(crate) fn digest(&self, project: &Project) -> Result<Digest> {
        let cancel = project.cancel();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::Interrupted => {
                cancel.check().err().map_or_else(|| Error::file("read", self.name)(error), Error::from)
            }
            _ => Error::file("read", self.folder.path().join(self.name))(error),
        };
        if self.format == Format::Directory {
            let inside = self.folder.folder(self.name).map_err(failed)?;
            let files = digest::of_folder(&inside, cancel).map_err(failed)?;
            let (bytes, sha256) = digest::of_list(&files);
            return Ok(Digest { bytes, sha256, files });
        }
        let file = self.folder.open_file(self.name).map_err(failed)?;
        let total = file.metadata().ok().map(|stat| stat.len());
        let on_bytes = |done| project.progress("reading", done, total, Unit::Bytes);
        let (bytes, sha256) = digest::of_file(&file, cancel, on_bytes).map_err(failed)?;
        Ok(Digest { bytes, sha256, files: Vec::new() })
    }

    /// An error if size or digest differ from the manifest.
    pub(crate) fn check_digest(&self, project: &Project, manifest: &BackupManifest) -> Result<()> {
        let damaged = |what: String| Error::from(BackupError::Damaged { file: self.name.to_owned(), what });
        let expected = if self.format == Format::Directory { FileType::Directory } else { FileType::RegularFile };
        match self.folder.kind(self.name) {
            None => return Err(damaged("it is missing, but its manifest exists".to_owned())),
            Some(FileType::Symlink) => return Err(damaged("a link is in its place".to_owned())),
            Some(kind) if kind != expected => return Err(damaged("something else is in its place".to_owned())),
            Some(_) => {}
        }
        let actual = self.digest(project)?;
        for stated in &manifest.files {
            match actual.files.iter().find(|file| file.file == stated.file) {
                None => return Err(damaged(format!("{} is missing in it", stated.file))),
                Some(file) if file != stated => {
                    return Err(damaged(format!(
                        "{} in it has SHA-256 {}, not {}",
                        file.file, file.sha256, stated.sha256
                    )));
                }
                Some(_) => {}
            }
        }
        if actual.bytes != manifest.bytes {
            return Err(damaged(format!("it has {} bytes, not {}", actual.bytes, manifest.bytes)));
        }
        if actual.sha256 != manifest.sha256 {
            return Err(damaged(format!("its SHA-256 is {}, not {}", actual.sha256, manifest.sha256)));
        }
        Ok(())
    }

    /// The error for a stored archive that cannot be decoded.
    pub(super) fn damage(&self, error: Error) -> Error {
        match error.downcast_ref() {
            Some(BackupError::Undecodable { reason }) => {
                BackupError::Damaged { file: self.name.to_owned(), what: reason.clone() }.into()
            }
            _ => error,
        }
    }

    /// Decodes all of it. An error of its reader becomes [`BackupError::Undecodable`].
    pub(crate) fn decode(&self, project: &Project, toolbox: &Toolbox<'_>) -> Result<Content> {
        // The list, which is read before, contains the definitions; the rest is data.
        self.decode_as(project, toolbox, &["--data-only"])
    }

    /// Decodes data and definitions, to get the information from both.
    pub(super) fn decode_all(&self, project: &Project, toolbox: &Toolbox<'_>) -> Result<Content> {
        self.decode_as(project, toolbox, &[])
    }

    fn decode_as(&self, project: &Project, toolbox: &Toolbox<'_>, what: &[&str]) -> Result<Content> {
        match self.format {
            Format::Sql => self.decode_sql(project),
            Format::Custom | Format::Directory | Format::DumpTar => self.decode_archive(project, toolbox, what),
            Format::Tar => self.decode_tar(project, None).map(|_| Content::default()),
        }
    }

    /// Reads each member of a tar archive to its end. Stops with an error if it exceeds the manifest's numbers.
    pub(crate) fn decode_tar(&self, project: &Project, manifest: Option<&BackupManifest>) -> Result<Tally> {
        let failed = |error: io::Error| Error::file("read", self.folder.path().join(self.name))(error);
        let file = self.folder.open_file(self.name).map_err(failed)?;
        let mut bytes = 0;
        let read =
            tarball::read(io::BufReader::with_capacity(1 << 18, file), Bounds::from_manifest(manifest), |member, _| {
                bytes += member.size;
                project.progress("decoding", bytes, None, Unit::Bytes);
                project.cancel().check().map_err(|_| io::ErrorKind::Interrupted.into())
            });
        project.cancel().check()?;
        read.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => BackupError::Undecodable { reason: error.to_string() }.into(),
            _ => failed(error),
        })
    }

    fn decode_archive(&self, project: &Project, toolbox: &Toolbox<'_>, what: &[&str]) -> Result<Content> {
        let contents = Contents::parse(&self.list(toolbox)?);
        let mut decoder = Decoder::new();
        let mut bytes = 0;
        self.restore(toolbox, what, |chunk| {
            bytes += chunk.len() as u64;
            project.progress("decoding", bytes, None, Unit::Bytes);
            decoder.push(chunk);
            Ok(())
        })?;
        let found = decoder.finish();
        let expected = contents.objects.get("table data").copied().unwrap_or(0);
        if found.cut || found.blocks != expected {
            let reason = format!("it lists {expected} blocks of table data, and has {}", found.blocks);
            return Err(BackupError::Undecodable { reason }.into());
        }
        Ok(Content { decoded: found, contents })
    }

    /// The table of contents, as `pg_restore --list` prints it.
    pub(super) fn list(&self, toolbox: &Toolbox<'_>) -> Result<String> {
        let mut list = Vec::new();
        self.restore(toolbox, &["--list"], |chunk| {
            list.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(String::from_utf8_lossy(&list).into_owned())
    }

    /// Streams the output of `pg_restore` without a server.
    pub(super) fn restore(
        &self,
        toolbox: &Toolbox<'_>,
        what: &[&str],
        on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<()> {
        let failed = |error: io::Error| Error::file("read", self.folder.path().join(self.name))(error);
        let sees_files = toolbox.sees_files();
        let file = if sees_files { None } else { Some(self.folder.open_file(self.name).map_err(failed)?) };
        let ended = toolbox.print(
            Some(STALL),
            |toolbox, out| {
                let mut args: Vec<String> = what.iter().map(|arg| (*arg).to_owned()).collect();
                args.push(format!("--file={out}"));
                if sees_files {
                    args.push(toolbox.path(self.name));
                }
                let job = toolbox.offline("pg_restore", args)?;
                Ok(match file {
                    Some(file) => job.stdin(file),
                    None => job,
                })
            },
            on_chunk,
        )?;
        match ended {
            Ok(()) => Ok(()),
            Err(ExecError::Exited { code: 1, tail, .. }) => {
                let reason = tail.lines().find(|line| line.contains("error:")).unwrap_or(&tail).trim().to_owned();
                Err(BackupError::Undecodable { reason }.into())
            }
            Err(error @ ExecError::Cancelled { .. }) => Err(error.into()),
            Err(error) => Err(BackupError::from_exec("pg_restore", self.folder.path(), error).into()),
        }
    }

    fn decode_sql(&self, project: &Project) -> Result<Content> {
        let failed = |error: io::Error| Error::file("read", self.folder.path().join(self.name))(error);
        let file = self.folder.open_file(self.name).map_err(failed)?;
        let decoded = decode_text(project, &mut plain_text(file).map_err(failed)?)
            .map_err(|error| BackupError::Undecodable { reason: error.to_string() })?;
        project.cancel().check()?;
        if !decoded.complete || decoded.cut {
            let reason = if decoded.remarks.is_mangled {
                "its lines end with CR LF, as a terminal writes them (`docker exec -t`)".to_owned()
            } else {
                "its last line does not end a complete dump".to_owned()
            };
            return Err(BackupError::Undecodable { reason }.into());
        }
        Ok(Content { decoded, contents: Contents::default() })
    }
}

/// An error if the backup's files differ from the digests in the manifest.
pub(crate) fn check_digest(project: &Project, folder: &Folder, manifest: &BackupManifest) -> Result<()> {
    Archive::new(folder, manifest).check_digest(project, manifest)?;
    manifest.globals.iter().try_for_each(|globals| check_file(project, folder, globals))
}

/// Checks the digests, and that the archive decodes to the content that the manifest describes.
pub(crate) fn check(project: &Project, folder: &Folder, manifest: &BackupManifest) -> Result<()> {
    check_digest(project, folder, manifest)?;
    let archive = Archive::new(folder, manifest);
    let damaged = |what: String| BackupError::Damaged { file: manifest.file.clone(), what };
    if manifest.format == Format::Tar {
        let tally = archive.decode_tar(project, Some(manifest)).map_err(|error| archive.damage(error))?;
        let same = tally.is_stated_by(&manifest.objects);
        return if same { Ok(()) } else { Err(damaged("its files are not those of its manifest".to_owned()).into()) };
    }
    let toolbox = Toolbox::new(project, &project.database()?, folder.path(), "infra-verify".to_owned())?;
    let content = archive.decode(project, &toolbox).map_err(|error| archive.damage(error))?;
    if content.decoded.tables == manifest.tables {
        return Ok(());
    }
    Err(damaged("its tables or their rows are not those of its manifest".to_owned()).into())
}

/// An error if an additional file of a backup differs from the manifest.
pub(crate) fn check_file(project: &Project, folder: &Folder, stated: &FileDigest) -> Result<()> {
    let damaged = |what: &str| BackupError::Damaged { file: stated.file.clone(), what: what.to_owned() };
    let file = folder.open_file(&stated.file).map_err(|_| damaged("it is missing, but its manifest exists"))?;
    let (bytes, sha256) = digest::of_file(&file, project.cancel(), |_| {})
        .map_err(Error::file("read", folder.path().join(&stated.file)))?;
    let as_stated = bytes == stated.bytes && sha256 == stated.sha256;
    if as_stated { Ok(()) } else { Err(damaged("it was changed after it was written").into()) }
}

/// Opens the text of an SQL file, with or without gzip compression.
pub(crate) fn plain_text(mut file: File) -> io::Result<Box<dyn io::Read + Send>> {
    let mut magic = [0; 2];
    let count = file.read(&mut magic)?;
    io::Seek::rewind(&mut file)?;
    Ok(if magic[..count] == [0x1f, 0x8b] {
        Box::new(MultiGzDecoder::new(io::BufReader::new(file)))
    } else {
        Box::new(file)
    })
}

fn decode_text(project: &Project, text: &mut dyn io::Read) -> io::Result<Decoded> {
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    while project.cancel().signal().is_none() {
        match text.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                decoder.push(&buffer[..count]);
                bytes += count as u64;
                project.progress("decoding", bytes, None, Unit::Bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(decoder.finish())
}

#[cfg(test)]
mod tests;
