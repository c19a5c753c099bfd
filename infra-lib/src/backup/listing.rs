//! A list of the backups that are there.

use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::exit::Exit;
use crate::project::Project;

use super::catalogue::Catalogue;

/// The backups in this environment, newest first: those of the database, or those of volumes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Listing<T> {
    /// Where they are.
    pub folder: Utf8PathBuf,
    /// Each backup.
    pub backups: Vec<T>,
    /// Manifests that cannot be used, with the reason.
    pub problems: Vec<String>,
}

/// What can stand in a list.
pub trait Listed: Sized {
    /// What they are, as in "there are no …".
    const KIND: &'static str;

    /// Whether its file is there, with its size.
    fn is_there(&self) -> bool;

    /// A line for each, under a heading.
    fn table(listed: &[Self], now: Timestamp) -> String;
}

impl<T: Listed> Listing<T> {
    pub(crate) fn new(project: &Project, catalogue: &Catalogue, backups: impl Iterator<Item = T>) -> Self {
        Self {
            folder: project.backup_dir(),
            backups: backups.collect(),
            problems: catalogue.problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// A no where something is wrong with what is listed.
    pub(crate) fn exit(&self) -> Exit {
        let whole = self.problems.is_empty() && self.backups.iter().all(Listed::is_there);
        if whole { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl<T: Listed> fmt::Display for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backups.is_empty() {
            write!(f, "there are no {} in {}", T::KIND, self.folder)?;
        } else {
            f.write_str(&T::table(&self.backups, Timestamp::now()))?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\nproblem: {problem}"))
    }
}
