//! The `.infra/` folder, which holds the state of this tool in a project.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fs::atomic;
use crate::fs::error::{FileError, WriteError};

/// The folder `.infra/` of a project: locks, the journal, the choices of `setup`, the local database.
///
/// It is created on first use, with mode 0700, and contains a `.gitignore` that excludes it.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(Utf8PathBuf);

/// Why `.infra/` cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0} is a symbolic link and leads to another place")]
    Link(Utf8PathBuf),
    #[error("{0} is writable by group or others")]
    Public(Utf8PathBuf),
}

impl Failure for StateError {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Write(error) => error.exit(),
            Self::Link(_) | Self::Public(_) => Exit::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::Link(_) => {
                Some("replace the link with a folder, or delete it: the folder is created when needed".to_owned())
            }
            Self::Public(path) => Some(format!("check what is in it, then run `chmod 700 {path}`")),
        }
    }
}

impl StateDir {
    /// The state folder of the project at `root`. Nothing is created.
    pub(crate) fn new(root: &Utf8Path) -> Self {
        Self(root.join(".infra"))
    }

    /// The folder's path, which may not exist yet.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Creates the folder if needed, and checks that it is private and ignored by git.
    pub(crate) fn ensure(&self) -> Result<&Utf8Path, StateError> {
        match private_dir(&self.0) {
            Ok(true) => atomic::replace(&self.0.join(".gitignore"), b"*\n")?,
            Ok(false) => refuse_public(&self.0)?,
            Err(source) => return Err(FileError::on("create", self.0.clone())(source).into()),
        }
        Ok(&self.0)
    }

    /// Creates a folder somewhere in this one if needed, and those above it, each with mode 0700.
    pub(crate) fn ensure_folder(&self, folder: &Utf8Path) -> Result<(), StateError> {
        let mut path = self.ensure()?.to_owned();
        for part in folder.strip_prefix(&self.0).unwrap_or(folder) {
            path.push(part);
            private_dir(&path).map_err(FileError::on("create", path.clone()))?;
        }
        Ok(())
    }

    /// Reads a JSON document. `None` if it is missing or invalid.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = std::fs::read(self.0.join(name)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes a JSON document atomically.
    pub(crate) fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let path = self.ensure()?.join(name);
        let text =
            serde_json::to_vec_pretty(value).map_err(|error| FileError::on("write", path.clone())(error.into()))?;
        Ok(atomic::replace(&path, &text)?)
    }
}

/// Creates a folder with mode 0700. Returns whether it was created.
pub(crate) fn private_dir(path: &Utf8Path) -> io::Result<bool> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// An error if others may write to the folder, which makes it unsafe for locks and records.
fn refuse_public(path: &Utf8Path) -> Result<(), StateError> {
    let about = path.symlink_metadata().map_err(FileError::on("read", path))?;
    if about.is_symlink() {
        return Err(StateError::Link(path.to_owned()));
    }
    if about.mode() & 0o022 != 0 {
        return Err(StateError::Public(path.to_owned()));
    }
    Ok(())
}
