//! Backup sets: backups that were made together, under one time.
//!
//! Each part is a complete backup. The set is described by a separate file, `<project>-set-<time>.json`, which is
//! published when all parts exist. Without it there are only the individual backups.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::Project;
use crate::project::environment_name::canonical;
use crate::project::error::{Error, Result};

use super::catalogue::{Catalogue, Entry};
use super::draft::stem;
use super::folder::Folder;
use super::make::FinishedBackup;
use super::numbers::out_of_range;
use super::{BackupError, SCHEMA};
use crate::hex;

/// The file that describes a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Set {
    schema: u32,
    pub(crate) id: String,
    /// Creation order of the sets, independent of the clock.
    order: u64,
    project: String,
    environment: String,
    pub(crate) created: Timestamp,
    pub(crate) parts: Vec<Part>,
    /// The checksum of the preceding keys.
    #[serde(default)]
    checksum: String,
}

/// A part of a set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The file name of its manifest.
    pub(crate) manifest: String,
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Set {
    /// The id for the parts of a set made now: `<project>-set-<time>`.
    pub(crate) fn name(project: &Project, now: Timestamp) -> String {
        stem(project.name(), "set", None, now).to_string()
    }

    /// Publishes the set after all of its parts.
    pub(crate) fn publish(
        project: &Project,
        folder: &Folder,
        id: &str,
        now: Timestamp,
        made: &[FinishedBackup],
    ) -> Result<Self> {
        let order = Self::all(project, folder)?.0.iter().map(|set| set.order).max().unwrap_or(0) + 1;
        let part = |made: &FinishedBackup| Part {
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
        Ok(hex::sha256(serde_json::to_vec(&blank)?))
    }

    /// The sets of this environment, oldest first, and errors of invalid set files.
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
            let value = serde_json::from_str::<serde_json::Value>(&text);
            if let Some(number) = value.as_ref().ok().and_then(out_of_range) {
                problems.push(wrong(format!("the number {number} is out of range")));
                continue;
            }
            match value.and_then(serde_json::from_value::<Self>) {
                Ok(set) if set.schema != SCHEMA => {
                    problems.push(BackupError::Schema { file: name, schema: set.schema.into() });
                }
                Ok(set) if set.sum().ok().as_ref() != Some(&set.checksum) => {
                    problems.push(wrong("it was changed after it was written".to_owned()));
                }
                Ok(set)
                    if set.project == project.name() && canonical(&set.environment) == project.environment().name =>
                {
                    sets.push(set);
                }
                Ok(_) => {}
                Err(error) => problems.push(wrong(error.to_string())),
            }
        }
        sets.sort_by_key(|set| (set.order, set.created));
        Ok((sets, problems))
    }

    /// Finds the newest set that matches `latest`, an id, or a complete or partial time: `2026-11-20`,
    /// `20261120T0230`.
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
                "`cargo xtask backup` creates one".to_owned()
            } else {
                format!("the sets are: {}", near.join(", "))
            };
            Error::new(Exit::NotFound, format!("backup set `{}` not found", wanted.escape_debug())).with_hint(hint)
        })
    }

    /// Its parts in the catalogue. An error if one is missing or was replaced.
    pub(crate) fn entries<'c>(&self, catalogue: &'c Catalogue) -> Result<Vec<&'c Entry>, BackupError> {
        let find = |part: &Part| {
            let found = catalogue.entries.iter().find(|entry| entry.name == part.manifest);
            let same = found.filter(|entry| entry.manifest.sha256 == part.sha256 && entry.manifest.file == part.file);
            let what = format!("its part {} is missing or was replaced", part.file);
            same.ok_or_else(|| BackupError::Damaged { file: self.id.clone(), what })
        };
        self.parts.iter().map(find).collect()
    }
}
