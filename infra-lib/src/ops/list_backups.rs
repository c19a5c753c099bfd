//! `db-backup --list`

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::{Format, Listed, Listing, ProofKind};
use crate::config::ByteSize;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation};
use crate::report::{ago, table};

use super::DbBackup;

/// List the existing backups, newest first.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ListBackups {}

/// A backup of the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedBackup {
    /// Its file or folder.
    pub file: String,
    /// Unique id, made of project, database, UTC time and a random part.
    pub id: String,
    /// The name it was given.
    pub label: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The database's name; empty if the manifest does not contain it.
    pub database: String,
    /// How it is written.
    pub format: Format,
    /// The size of the file or folder in bytes.
    pub bytes: u64,
    /// The version of the PostgreSQL server; `None` if it is unknown.
    pub server: Option<String>,
    /// When it was last decoded whole.
    pub decoded: Option<Timestamp>,
    /// When it was last restored for a trial.
    pub drilled: Option<Timestamp>,
    /// How long that took, in milliseconds.
    pub drill_ms: Option<u64>,
    /// Why it should be looked at.
    pub suspect: Vec<String>,
    /// Whether its file is there, with its size.
    pub is_there: bool,
}

impl Operation for ListBackups {
    const NAME: &'static str = DbBackup::NAME;
    const GROUP: Group = DbBackup::GROUP;
    const JOURNAL: bool = false;
    type Outcome = Listing<ListedBackup>;

    fn run(&self, project: &Project) -> Result<Listing<ListedBackup>> {
        let catalogue = Catalogue::read(project)?;
        let backups = catalogue.databases(project).rev().map(|entry| {
            let manifest = &entry.manifest;
            let at = |kind| manifest.proof(kind).map(|proof| proof.at);
            ListedBackup {
                file: manifest.file.clone(),
                id: manifest.id.clone(),
                label: manifest.label.clone(),
                created: manifest.created,
                database: manifest.database.as_ref().map(|facts| facts.name.clone()).unwrap_or_default(),
                format: manifest.format,
                bytes: manifest.bytes,
                server: manifest.server.clone(),
                decoded: at(ProofKind::Decode),
                drilled: at(ProofKind::Drill),
                drill_ms: manifest.proof(ProofKind::Drill).map(|proof| proof.took_ms),
                suspect: manifest.suspect.clone(),
                is_there: catalogue.has_file_of(entry),
            }
        });
        Ok(Listing::new(project, &catalogue, backups))
    }
}

impl ListedBackup {
    fn state(&self, now: Timestamp) -> String {
        match (self.is_there, self.suspect.is_empty(), self.drilled) {
            (false, ..) => "file missing or truncated".to_owned(),
            (_, false, _) => "suspect".to_owned(),
            (.., Some(drilled)) => format!("test restore {} ago", ago(drilled, now)),
            _ if self.decoded.is_some() => "verified".to_owned(),
            _ => "not verified".to_owned(),
        }
    }
}

impl Listed for ListedBackup {
    const KIND: &'static str = "backups";
    const NEXT: Option<&'static str> = Some("cargo xtask db-backup");

    fn is_there(&self) -> bool {
        self.is_there
    }

    fn table(listed: &[Self], now: Timestamp) -> String {
        let rows = listed.iter().map(|backup| {
            [
                backup.file.clone(),
                backup.label.clone().unwrap_or_default(),
                format!("{} ago", ago(backup.created, now)),
                ByteSize::new(backup.bytes).to_string(),
                backup.state(now),
            ]
        });
        table(["BACKUP", "NAME", "AGE", "SIZE", "STATE"], rows)
    }
}
