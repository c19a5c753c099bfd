//! `backup --list`

use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::set::Set;
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{ago, table};

use super::Backup;

/// List the existing sets, newest first.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ListBackupSets {}

/// The sets of this environment, newest first.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SetList {
    /// The backup folder, as `[backup] dir` sets it.
    pub folder: Utf8PathBuf,
    /// The sets of this environment, newest first.
    pub sets: Vec<ListedSet>,
    /// What cannot be used, with the reason.
    pub problems: Vec<String>,
}

/// A set of the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedSet {
    /// By what it is restored.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The parts' file names in the backup folder.
    pub parts: Vec<String>,
    /// The total size of the parts in bytes.
    pub bytes: u64,
    /// Whether all of them are there.
    pub is_whole: bool,
}

impl Operation for ListBackupSets {
    const NAME: &'static str = Backup::NAME;
    const GROUP: Group = Backup::GROUP;
    const JOURNAL: bool = false;
    type Outcome = SetList;

    fn run(&self, project: &Project) -> Result<SetList> {
        let catalogue = Catalogue::read(project)?;
        let (sets, problems) = match &catalogue.folder {
            Some(folder) => Set::all(project, folder)?,
            None => Default::default(),
        };
        let has = |file: &str| catalogue.folder.as_ref().is_some_and(|folder| folder.has(file));
        let sets = sets.into_iter().rev().map(|set| ListedSet {
            is_whole: set.entries(&catalogue).is_ok() && set.parts.iter().all(|part| has(&part.file)),
            bytes: set.parts.iter().map(|part| part.bytes).sum(),
            parts: set.parts.into_iter().map(|part| part.file).collect(),
            id: set.id,
            created: set.created,
        });
        let problems = problems.iter().map(ToString::to_string).collect();
        Ok(SetList { folder: project.backup_dir(), sets: sets.collect(), problems })
    }
}

impl Outcome for SetList {
    fn exit(&self) -> Exit {
        let good = self.problems.is_empty() && self.sets.iter().all(|set| set.is_whole);
        if good { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl fmt::Display for SetList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = Timestamp::now();
        if self.sets.is_empty() {
            write!(f, "there are no sets in {}", self.folder)?;
        } else {
            let rows = self.sets.iter().map(|set| {
                let state = if set.is_whole { "complete" } else { "a part is missing" };
                [
                    set.id.clone(),
                    format!("{} ago", ago(set.created, now)),
                    set.parts.len().to_string(),
                    ByteSize::new(set.bytes).to_string(),
                    state.to_owned(),
                ]
            });
            write!(f, "{}", table(["SET", "AGE", "PARTS", "SIZE", "STATE"], rows))?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\nproblem: {problem}"))
    }
}
