//! What `db-migrate` does to the database or to files.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::exit::Exit;
use crate::migrations::delegate::{self, Delegated};
use crate::migrations::owner::Owner;
use crate::migrations::tools::run::Ran;
use crate::migrations::{self, Applied, Repaired, Wanted};
use crate::project::Project;
use crate::project::error::Result;

use super::at_start::at_start;

/// What was done; each list is empty where there was nothing of the kind.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Migrated {
    /// Versions that were applied.
    pub applied: Vec<String>,
    /// Versions that were reverted.
    pub reverted: Vec<String>,
    /// Versions that were noted as applied before.
    pub noted: Vec<String>,
    /// Versions whose file was accepted as it is now.
    pub accepted: Vec<String>,
    /// Versions that had failed half way, and are pending again.
    pub forgotten: Vec<String>,
    /// Versions that were applied and have no file: nothing was done about them.
    pub missing: Vec<String>,
    /// Files that were written.
    pub written: Vec<Utf8PathBuf>,
    /// The backup that was made before.
    pub backup: Option<Utf8PathBuf>,
    /// The command of the project's own that did it.
    pub delegated: Option<String>,
}

fn strings(versions: &[impl ToString]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

/// By the project's own tool, where it has one.
fn delegated(done: Delegated) -> Migrated {
    Migrated { delegated: Some(done.command), backup: done.backup, ..Migrated::default() }
}

/// By the tool whose files they are.
fn ran(done: Ran) -> Migrated {
    let Ran { command: delegated, applied, reverted, backup } = done;
    Migrated { applied, reverted, backup, delegated, ..Migrated::default() }
}

pub(super) fn up(project: &Project, wanted: &Wanted) -> Result<Migrated> {
    let layout = match Owner::find(project)? {
        Owner::Native(layout) => layout,
        Owner::Known(migrations) => return migrations.up(project, wanted, &|| at_start(project)).map(ran),
        Owner::Commands(tool) => return delegate::up(project, &tool, wanted).map(delegated),
    };
    let Applied { noted, versions: applied, backup } = migrations::up(project, layout, wanted)?;
    Ok(Migrated { applied: strings(&applied), noted: strings(&noted), backup, ..Migrated::default() })
}

pub(super) fn down(project: &Project, wanted: &Wanted) -> Result<Migrated> {
    let layout = match Owner::find(project)? {
        Owner::Native(layout) => layout,
        Owner::Known(migrations) => return migrations.down(project, wanted).map(ran),
        Owner::Commands(tool) => return delegate::down(project, &tool, wanted).map(delegated),
    };
    let Applied { versions: applied, backup, .. } = migrations::down(project, layout, wanted)?;
    Ok(Migrated { reverted: strings(&applied), backup, ..Migrated::default() })
}

pub(super) fn new(project: &Project, name: &str) -> Result<Migrated> {
    let files = migrations::new(project, name)?;
    let written = files.iter().map(|path| path.strip_prefix(project.root()).unwrap_or(path).to_owned());
    Ok(Migrated { written: written.collect(), ..Migrated::default() })
}

pub(super) fn repair(project: &Project) -> Result<Migrated> {
    let Repaired { accepted, forgotten, missing } = migrations::repair(project)?;
    Ok(Migrated { accepted, forgotten, missing, ..Migrated::default() })
}

pub(super) fn baseline(project: &Project, version: Option<&str>) -> Result<Migrated> {
    let Applied { noted, .. } = migrations::baseline(project, version)?;
    Ok(Migrated { noted: strings(&noted), ..Migrated::default() })
}

impl Migrated {
    pub(super) fn exit(&self) -> Exit {
        if self.missing.is_empty() { Exit::Ok } else { Exit::CheckFailed }
    }
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.written.iter().map(|path| format!("wrote {path}")).collect();
        let mut list = |what: &str, versions: &[String]| {
            if let [_, ..] = versions {
                lines.push(format!("{what} {}", versions.join(", ")));
            }
        };
        list("marked as applied:", &self.noted);
        list("applied", &self.applied);
        list("reverted", &self.reverted);
        list("accepted as edited:", &self.accepted);
        list("pending again:", &self.forgotten);
        list("applied, but still without a file:", &self.missing);
        if let Some(backup) = &self.backup {
            lines.push(format!("backed up first, to {backup}"));
        }
        if let Some(command) = &self.delegated {
            lines.push(format!("done by `{command}`"));
        }
        if lines.is_empty() {
            lines.push("nothing to do".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}
