//! Lists existing backups.

use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::operation::Outcome;

use super::catalogue::Catalogue;

/// The backups in this environment, newest first: those of the database, or those of volumes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Listing<T> {
    /// The folder that contains them.
    pub folder: Utf8PathBuf,
    /// The backups, newest first.
    pub backups: Vec<T>,
    /// Manifests that cannot be used, with the reason.
    pub problems: Vec<String>,
}

/// A kind of backup that can be listed.
pub trait Listed: Sized {
    /// The plural noun, as in "there are no …".
    const KIND: &'static str;
    /// The command that makes the first one.
    const NEXT: Option<&'static str> = None;

    /// Whether its file exists with the expected size.
    fn is_there(&self) -> bool;

    /// Renders a heading and a line for each backup.
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
}

impl<T: Listed + Serialize> Outcome for Listing<T> {
    fn exit(&self) -> Exit {
        let whole = self.problems.is_empty() && self.backups.iter().all(Listed::is_there);
        if whole { Exit::Ok } else { Exit::CheckFailed }
    }

    fn next(&self) -> Vec<String> {
        T::NEXT.iter().filter(|_| self.backups.is_empty()).map(|&command| command.to_owned()).collect()
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
