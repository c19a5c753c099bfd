//! A backup in progress: its files have temporary names until all checks have passed.

use std::fs::File;
use std::io::{self, Write as _};
use std::time::Duration;

use jiff::Timestamp;

use crate::cancel::CancelToken;
use crate::hex;
use crate::project::error::{Error, Result};

use super::folder::{Folder, sync_file};
use super::manifest::{BackupManifest, Format};
use super::name::Stem;
use super::record::Record;

/// The suffix of an unfinished file's name.
pub(super) const PART: &str = ".infra-part";
/// Number of random digits in it.
pub(super) const NONCE: usize = 8;
/// The extension of the file with roles and grants.
pub(super) const GLOBALS: &str = "globals.sql";

/// A backup in progress. If it is dropped before it is published, its files are removed.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    folder: &'a Folder,
    stem: String,
    format: Format,
    data: Data,
    /// A word in the unfinished names, so that no other run writes to these files.
    nonce: String,
    /// Names in the folder to remove on drop.
    names: Vec<String>,
    /// Removed after them.
    _record: Record<'a>,
}

/// The file or folder being written.
#[derive(Debug)]
pub(crate) enum Data {
    File(File),
    Folder(Folder),
}

impl<'a> Draft<'a> {
    /// Creates the file or folder to write. If the name for this second is taken, the next second is used.
    pub(crate) fn begin(folder: &'a Folder, mut stem: Stem, format: Format) -> Result<Self> {
        let extension = format.extension();
        let failed = |error: io::Error| Error::file("create a file in", folder.path())(error);
        loop {
            let name = stem.to_string();
            if folder.has(&format!("{name}.json")) || folder.has(&format!("{name}.{extension}")) {
                stem.time += Duration::from_secs(1);
                continue;
            }
            let nonce = hex::random_digits(NONCE)?;
            let part = part(&name, &nonce, extension);
            let others = [GLOBALS, "json"].map(|extension| self::part(&name, &nonce, extension));
            let record = Record::write(folder, [part.clone()].into_iter().chain(others).collect()).map_err(failed)?;
            let data = match format {
                Format::Directory => folder.create_folder(&part).map(Data::Folder),
                Format::Custom | Format::Sql | Format::Tar | Format::DumpTar => folder.create(&part).map(Data::File),
            };
            let data = data.map_err(failed)?;
            return Ok(Self { folder, stem: name, format, data, nonce, names: vec![part], _record: record });
        }
    }

    /// The folder that contains it.
    pub(crate) fn folder(&self) -> &Folder {
        self.folder
    }

    /// The file or folder being written.
    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    /// The file or folder being written, to be passed to a program.
    pub(super) fn handle(&self) -> io::Result<File> {
        match &self.data {
            Data::File(file) => file.try_clone(),
            Data::Folder(folder) => folder.handle(),
        }
    }

    /// The unfinished file's name in the folder.
    pub(crate) fn part(&self) -> String {
        part(&self.stem, &self.nonce, self.format.extension())
    }

    /// The final name of the file.
    pub(crate) fn file(&self) -> String {
        format!("{}.{}", self.stem, self.format.extension())
    }

    /// Creates the file for roles and grants. Returns it with its temporary and its final name.
    pub(crate) fn globals(&mut self) -> Result<(File, String, String)> {
        let part = part(&self.stem, &self.nonce, GLOBALS);
        let file = self.folder.create(&part).map_err(Error::file("create", self.folder.path().join(&part)))?;
        self.names.push(part.clone());
        Ok((file, part, format!("{}.{GLOBALS}", self.stem)))
    }

    /// The number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        match &self.data {
            Data::File(file) => file.metadata().map_or(0, |stat| stat.len()),
            Data::Folder(folder) => crate::fs::occupied(folder.path()),
        }
    }

    /// Whether the unfinished file and its folder are still those that were opened.
    pub(crate) fn is_in_place(&self) -> bool {
        let own = match &self.data {
            Data::File(file) => self.folder.is_at(&self.part(), file),
            Data::Folder(folder) => folder.is_at_its_path(),
        };
        own && self.folder.is_at_its_path()
    }

    /// Syncs the written files to disk. Returns `false` if the file system does not support it.
    pub(crate) fn sync(&self) -> Result<bool> {
        let failed = |error: io::Error| Error::file("sync", self.folder.path().join(self.part()))(error);
        match &self.data {
            Data::File(file) => sync_file(file).map_err(failed),
            Data::Folder(folder) => {
                let mut kept = true;
                for name in folder.names().map_err(failed)? {
                    kept &= folder.open_file(&name).and_then(|file| sync_file(&file)).map_err(failed)?;
                }
                Ok(folder.sync().map_err(failed)? & kept)
            }
        }
    }

    /// Publishes the backup: renames the files, and the manifest last. A failure before that leaves nothing.
    pub(crate) fn publish(mut self, manifest: &BackupManifest, cancel: &CancelToken) -> Result<String> {
        let name = format!("{}.json", self.stem);
        let announced = part(&self.stem, &self.nonce, "json");
        let failed = |action: &'static str, name: &str| Error::file(action, self.folder.path().join(name));
        let text = manifest.to_text().map_err(|error| failed("write", &name)(error.into()))?;
        // The announcement: if this run is killed now, the next run knows which names to remove.
        let file = self.folder.create(&announced).map_err(failed("create", &announced))?;
        self.names.push(announced.clone());
        (&file).write_all(&text).and_then(|()| sync_file(&file)).map_err(failed("write", &announced))?;
        self.folder.sync().map_err(failed("sync", "."))?;

        let mut renames = vec![(self.part(), self.file())];
        renames.extend(
            manifest.globals.iter().map(|globals| (part(&self.stem, &self.nonce, GLOBALS), globals.file.clone())),
        );
        renames.push((announced, name.clone()));
        let last = renames.len() - 1;
        for (at, (from, to)) in renames.iter().enumerate() {
            cancel.check()?;
            self.folder.publish(from, to).map_err(failed("publish", to))?;
            // From now on a failure removes the new names, the manifest first.
            self.names.retain(|name| name != from);
            self.names.insert(0, to.clone());
            if at + 1 >= last {
                self.folder.sync().map_err(failed("sync", "."))?;
            }
        }
        self.names.retain(|name| name.starts_with('.'));
        Ok(name)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = self.folder.remove(name);
        }
        if !self.names.is_empty() {
            let _ = self.folder.sync();
        }
    }
}

/// An unfinished file's name.
pub(super) fn part(stem: &str, nonce: &str, extension: &str) -> String {
    format!(".{stem}.{nonce}.{extension}{PART}")
}

/// The names that an unfinished manifest was about to publish.
pub(super) fn announced(folder: &Folder, part: &str) -> Vec<String> {
    if !part.ends_with(&format!(".json{PART}")) {
        return Vec::new();
    }
    let text = folder.open_file(part).and_then(io::read_to_string).unwrap_or_default();
    let Ok(manifest) = BackupManifest::parse(part, text.as_bytes()) else { return Vec::new() };
    std::iter::once(manifest.file).chain(manifest.globals.map(|globals| globals.file)).collect()
}

/// A backup's name parts. The time is truncated to seconds, as in the file name.
pub(crate) fn stem(project: &str, subject: &str, label: Option<&str>, time: Timestamp) -> Stem {
    Stem { project: project.to_owned(), subject: subject.to_owned(), time, label: label.map(str::to_owned) }
}
