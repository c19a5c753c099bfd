//! Backups that were made together, under one time.
//!
//! Each part is a backup by itself. That they are a set is said by a file of its own, which is published when all of them
//! are there: `<project>-set-<time>.json`. Without it there is no set, and the parts are what they are.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::Project;

use super::catalogue::{Catalogue, Entry};
use super::draft::stem;
use super::folder::Folder;
use super::make::Made;
use super::{BackupError, SCHEMA, hex};

/// A set's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Set {
    schema: u32,
    pub(crate) id: String,
    /// The order in which sets were made, whatever the clock says.
    order: u64,
    project: String,
    environment: String,
    pub(crate) created: Timestamp,
    pub(crate) parts: Vec<Part>,
    /// Of the keys before it.
    #[serde(default)]
    checksum: String,
}

/// A part of a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The name of its manifest.
    pub(crate) manifest: String,
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Set {
    /// The id that the parts of one made now bear: `<project>-set-<time>`.
    pub(crate) fn name(project: &Project, now: Timestamp) -> String {
        stem(project.name(), "set", None, now).to_string()
    }

    /// Publishes the set, last of all.
    pub(crate) fn publish(project: &Project, folder: &Folder, id: &str, now: Timestamp, made: &[Made]) -> Result<Self> {
        let order = Self::all(project, folder)?.0.iter().map(|set| set.order).max().unwrap_or(0) + 1;
        let part = |made: &Made| Part {
            manifest: made.name.clone(),
            file: made.manifest.file.clone(),
            bytes: made.manifest.bytes,
            sha256: made.manifest.sha256.clone(),
        };
        let mut set = Self {
            schema: SCHEMA,
            id: id.to_owned(),
            order,
            project: project.name().to_owned(),
            environment: project.environment().name.clone(),
            created: now,
            parts: made.iter().map(part).collect(),
            checksum: String::new(),
        };
        let path = folder.path().join(format!("{id}.json"));
        let failed = |error: serde_json::Error| Error::file("write", path.clone())(error.into());
        set.checksum = set.sum().map_err(failed)?;
        let text = serde_json::to_vec_pretty(&set).map_err(failed)?;
        atomic::create_new(&path, &text)?;
        Ok(set)
    }

    fn sum(&self) -> serde_json::Result<String> {
        let blank = Self { checksum: String::new(), ..self.clone() };
        Ok(hex(&Sha256::digest(serde_json::to_vec(&blank)?)))
    }

    /// The sets of this environment, oldest first, and what is wrong with files that should be such.
    pub(crate) fn all(project: &Project, folder: &Folder) -> Result<(Vec<Self>, Vec<BackupError>)> {
        let (mut sets, mut problems) = (Vec::new(), Vec::new());
        for name in folder.names().map_err(Error::file("read", folder.path()))? {
            if !name.contains("-set-") || !name.ends_with("Z.json") || name.starts_with('.') {
                continue;
            }
            let file = folder.open_file(&name).map_err(Error::file("read", folder.path().join(&name)))?;
            let text = std::io::read_to_string(file).unwrap_or_default();
            if text.contains("\"sequence\"") {
                continue;
            }
            let wrong = |reason: String| BackupError::Manifest { file: name.clone(), reason };
            match serde_json::from_str::<Self>(&text) {
                Ok(set) if set.schema != SCHEMA => {
                    problems.push(BackupError::Schema { file: name, schema: set.schema.into() });
                }
                Ok(set) if set.sum().ok().as_ref() != Some(&set.checksum) => {
                    problems.push(wrong("it was changed after it was written".to_owned()));
                }
                Ok(set) if set.project == project.name() && set.environment == project.environment().name => {
                    sets.push(set);
                }
                Ok(_) => {}
                Err(error) => problems.push(wrong(error.to_string())),
            }
        }
        sets.sort_by_key(|set| (set.order, set.created));
        Ok((sets, problems))
    }

    /// `latest`, an id, or a time as far as it is stated: `2026-11-20`, `20261120T0230`; the newest that fits.
    pub(crate) fn find(sets: &[Self], wanted: &str) -> Result<Self> {
        let plain: String = wanted.chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
        let fits = |set: &&Self| {
            let time = set.created.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
            let is_date = plain.len() >= 8 && plain.starts_with(|letter: char| letter.is_ascii_digit());
            wanted == "latest" || set.id == wanted || (is_date && time.starts_with(&plain))
        };
        sets.iter().rev().find(fits).cloned().ok_or_else(|| {
            let near: Vec<_> = sets.iter().rev().take(5).map(|set| set.id.clone()).collect();
            let hint = if near.is_empty() {
                "`cargo xtask backup` makes one".to_owned()
            } else {
                format!("there are: {}", near.join(", "))
            };
            Error::new(Exit::NotFound, format!("there is no set of backups `{}`", wanted.escape_debug()))
                .with_hint(hint)
        })
    }

    /// Its parts in the catalogue; an error if one is gone or is another one now.
    pub(crate) fn entries<'c>(&self, catalogue: &'c Catalogue) -> Result<Vec<&'c Entry>, BackupError> {
        let find = |part: &Part| {
            let found = catalogue.entries.iter().find(|entry| entry.name == part.manifest);
            let same = found.filter(|entry| entry.manifest.sha256 == part.sha256 && entry.manifest.file == part.file);
            let what = format!("its part {} is missing, or is another one", part.file);
            same.ok_or_else(|| BackupError::Damaged { file: self.id.clone(), what })
        };
        self.parts.iter().map(find).collect()
    }
}
