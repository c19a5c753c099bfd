//! `.infra/`: what we keep beside the project.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::exit::Exit;
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
            Ok(true) => atomic::replace(&self.0.join(".gitignore"), b"*\n")?,
            Ok(false) => refuse_public(&self.0)?,
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

/// A folder in which others may put files is no place for locks and records.
fn refuse_public(path: &Utf8Path) -> Result<()> {
    let about = path.symlink_metadata().map_err(Error::file("look at", path))?;
    if about.is_symlink() {
        return Err(Error::new(Exit::Refused, format!("{path} is a link, and would lead us to write somewhere else"))
            .with_hint("put the folder itself there; it is made anew when it is missing"));
    }
    if about.mode() & 0o022 != 0 {
        return Err(Error::new(Exit::Refused, format!("others than its owner may write to {path}"))
            .with_hint(format!("`chmod 700 {path}`, after a look at what is in it")));
    }
    Ok(())
}
