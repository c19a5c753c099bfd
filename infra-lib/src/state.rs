//! `.infra/`: what we keep beside the project.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::fs::atomic;

/// The folder `.infra/` of a project: locks, the journal, what `setup` chose, the local database.
///
/// It is made when something is first kept in it, with mode 0700, and ignores itself in git.
#[derive(Debug, Clone)]
pub struct StateDir(Utf8PathBuf);

impl StateDir {
    /// The state folder of the project at `root`.
    pub fn of(root: &Utf8Path) -> Self {
        Self(root.join(".infra"))
    }

    /// Where it is; it may not exist yet.
    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Makes sure that it exists, private and ignored.
    pub fn ensure(&self) -> Result<&Utf8Path> {
        match private_dir(&self.0) {
            Ok(true) => std::fs::write(self.0.join(".gitignore"), "*\n")
                .map_err(Error::file("write", self.0.join(".gitignore")))?,
            Ok(false) => {}
            Err(source) => return Err(Error::File { action: "create", path: self.0.clone(), source }),
        }
        Ok(&self.0)
    }

    /// Reads a JSON document; what is missing or not readable as such counts as absent.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = std::fs::read(self.0.join(name)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes a JSON document, whole or not at all.
    pub(crate) fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let path = self.ensure()?.join(name);
        let text =
            serde_json::to_vec_pretty(value).map_err(|error| Error::file("write", path.clone())(error.into()))?;
        Ok(atomic::replace(&path, &text)?)
    }
}

/// Makes a folder of mode 0700, and says whether it was new.
pub(crate) fn private_dir(path: &Utf8Path) -> io::Result<bool> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}
