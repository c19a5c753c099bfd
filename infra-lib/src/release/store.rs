//! The releases of an environment on disk.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::fs::atomic;
use crate::fs::error::FileError;
use crate::hex;
use crate::state::{StateDir, StateError, private_dir};

use super::Release;

/// The releases of one environment: `.infra/releases/<environment>`.
#[derive(Debug, Clone)]
pub(crate) struct Releases {
    folder: Utf8PathBuf,
}

const MANIFEST: &str = "release.json";

impl Releases {
    pub(crate) fn new(state: &StateDir, environment: &str) -> Self {
        Self { folder: state.path().join("releases").join(environment) }
    }

    /// The folder of a release.
    pub(crate) fn folder(&self, id: &str) -> Utf8PathBuf {
        self.folder.join(id)
    }

    /// The folder with the files of a release.
    pub(crate) fn files(&self, id: &str) -> Utf8PathBuf {
        self.folder(id).join("files")
    }

    /// The release with this id. `None` if it does not exist or cannot be read.
    pub(crate) fn get(&self, id: &str) -> Option<Release> {
        // An id comes from the command line, and names a folder.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let text = fs::read(self.folder(id).join(MANIFEST)).ok()?;
        serde_json::from_slice(&text).ok().filter(|release: &Release| release.id == id)
    }

    /// All releases, oldest first.
    pub(crate) fn all(&self) -> Vec<Release> {
        let names = self.folder.read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
        let mut all: Vec<Release> = names.filter_map(|entry| self.get(entry.file_name())).collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all
    }

    /// Writes a release whose files are in `draft`, a folder that this makes part of it. No reader sees an incomplete
    /// release: it is complete before it has its name.
    pub(crate) fn publish(&self, draft: &Utf8Path, release: &Release) -> Result<(), StateError> {
        let at = |action, path: &Utf8Path| FileError::on(action, path.to_owned());
        let text = serde_json::to_vec_pretty(release).map_err(|error| at("write", draft)(error.into()))?;
        atomic::replace(&draft.join(MANIFEST), &text)?;
        let target = self.folder(&release.id);
        fs::rename(draft, &target).map_err(at("create", &target))?;
        fs::File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at("sync", &self.folder))?;
        Ok(())
    }

    /// A new empty folder for a release that is being made. What a killed run left is removed.
    pub(crate) fn draft(&self, state: &StateDir) -> Result<Utf8PathBuf, StateError> {
        let at = |action, path: &Utf8Path| FileError::on(action, path.to_owned());
        state.ensure_folder(&self.folder)?;
        let draft = self.folder.join(".draft");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(at("remove", &draft))?;
        }
        private_dir(&draft).map_err(at("create", &draft))?;
        Ok(draft)
    }

    /// The first file of a release whose content is not what its manifest says.
    pub(crate) fn damage(&self, release: &Release) -> Option<Utf8PathBuf> {
        let files = self.files(&release.id);
        let is_whole =
            |path: &Utf8Path, sha256: &str| fs::read(files.join(path)).is_ok_and(|bytes| hex::sha256(&bytes) == sha256);
        let damaged = release.files.iter().find(|file| !is_whole(&file.path, &file.sha256))?;
        Some(files.join(&damaged.path))
    }

    /// Removes a release.
    pub(crate) fn remove(&self, id: &str) -> Result<(), StateError> {
        let folder = self.folder(id);
        fs::remove_dir_all(&folder).map_err(FileError::on("remove", folder))?;
        Ok(())
    }
}
