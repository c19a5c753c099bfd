//! `db-verify`

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::BackupError;
use crate::backup::catalogue::{Catalogue, Entry};
use crate::backup::verify::check;
use crate::backup::{Proof, ProofKind, drill};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{millis, seconds};

/// Verify backups, or test that they can be restored.
///
/// Each backup is compared with its checksum and decoded to its end. With `--drill`, it is also restored into a scratch
/// database and compared with its manifest: only that shows that it can be restored. How long the restore took is
/// recorded.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbVerify {
    /// `latest`, a name, an id or a file [default: latest].
    #[cfg_attr(feature = "cli", arg(value_name = "BACKUP", conflicts_with_all = ["all", "subset"]))]
    pub backup: Option<String>,
    /// Verify all backups of this environment.
    #[cfg_attr(feature = "cli", arg(long))]
    pub all: bool,
    /// Verify one part of them: `2/7` is the second of seven parts, such as one per weekday.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N/M"))]
    pub subset: Option<DbVerifySubset>,
    /// Also restore each into a scratch database, and compare.
    #[cfg_attr(feature = "cli", arg(long))]
    pub drill: bool,
    /// Restore on a temporary server on this machine instead of the database's own.
    #[cfg_attr(feature = "cli", arg(long, requires = "drill"))]
    pub spare_server: bool,
}

/// The Nth of M parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DbVerifySubset {
    /// The number of this part, from 1 to `of`.
    pub part: u64,
    /// The number of parts; at least 1.
    pub of: u64,
}

impl std::str::FromStr for DbVerifySubset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part, of }),
            _ => Err(format!("`{text}` is not valid: use N/M with N ≤ M, such as 2/7")),
        }
    }
}

/// The result of `db-verify`: one entry for each backup.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The chosen backups; with `all` or `subset`, unusable entries of the backup folder come first.
    pub backups: Vec<Verified>,
}

/// A backup that was looked at.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// Its file or folder.
    pub file: String,
    /// Whether it is what it should be.
    pub ok: bool,
    /// How long decoding it took, in milliseconds.
    pub decode_ms: Option<u64>,
    /// How long restoring it took, in milliseconds.
    pub drill_ms: Option<u64>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Whether that is damage; otherwise it cannot be restored on this server.
    #[serde(skip)]
    is_damaged: bool,
}

impl Operation for DbVerify {
    const NAME: &'static str = "db-verify";
    const GROUP: Group = Group::Database;
    type Outcome = VerifyReport;

    fn run(&self, project: &Project) -> Result<VerifyReport> {
        let catalogue = Catalogue::read(project)?;
        let chosen = self.choose(project, &catalogue)?;
        let mut report = VerifyReport { backups: Vec::new() };
        for problem in catalogue.problems.iter().filter(|_| !self.is_of_one()) {
            let (file, error) = (problem.file().to_owned(), Some(problem.to_string()));
            let is_damaged = true;
            report.backups.push(Verified { file, ok: false, decode_ms: None, drill_ms: None, error, is_damaged });
        }
        for entry in chosen {
            report.backups.push(self.verify(project, &catalogue, entry.clone())?);
        }
        Ok(report)
    }
}

impl DbVerify {
    fn is_of_one(&self) -> bool {
        !self.all && self.subset.is_none()
    }

    fn choose<'a>(&self, project: &'a Project, catalogue: &'a Catalogue) -> Result<Vec<&'a Entry>> {
        if let Some(DbVerifySubset { part, of }) = self.subset {
            return Ok(catalogue
                .databases(project)
                .filter(|entry| entry.manifest.sequence % of == part % of)
                .collect());
        }
        if self.all {
            return Ok(catalogue.databases(project).collect());
        }
        Ok(vec![catalogue.find(project, self.backup.as_deref().unwrap_or("latest"))?])
    }

    /// Damage is a finding; that the tools cannot be had is an error.
    fn verify(&self, project: &Project, catalogue: &Catalogue, mut entry: Entry) -> Result<Verified> {
        let Some(folder) = &catalogue.folder else {
            return Err(BackupError::NotFound { name: entry.name, near: Vec::new() }.into());
        };
        let file = entry.manifest.file.clone();
        let mut verified =
            Verified { file, ok: false, decode_ms: None, drill_ms: None, error: None, is_damaged: false };
        project.step(format_args!("verifying {}", verified.file));
        let began = Instant::now();
        let found = check(project, folder, &entry.manifest).and_then(|()| {
            verified.decode_ms = Some(millis(began.elapsed()));
            self.drill.then(|| drill::run(project, folder, &entry.manifest, self.spare_server)).transpose()
        });
        match found {
            Ok(drilled) => {
                verified.ok = true;
                verified.drill_ms = drilled.map(millis);
                let proof = |kind, took_ms| Proof { kind, at: Timestamp::now(), took_ms };
                let proofs = [
                    verified.decode_ms.map(|took| proof(ProofKind::Decode, took)),
                    verified.drill_ms.map(|took| proof(ProofKind::Drill, took)),
                ];
                proofs.into_iter().flatten().for_each(|proof| entry.manifest.prove(proof));
                entry.manifest.note_damage(None);
            }
            Err(error) if error.exit() == Exit::BadData => {
                verified.is_damaged = !matches!(
                    error.downcast_ref(),
                    Some(BackupError::Unfit { .. } | BackupError::NoRights { .. } | BackupError::Mismatch { .. })
                );
                if !verified.is_damaged && self.is_of_one() {
                    return Err(error);
                }
                // What does not count any more must not let good ones go.
                if let Some(damage @ BackupError::Damaged { .. }) = error.downcast_ref() {
                    entry.manifest.note_damage(Some(damage));
                }
                verified.error = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        // What was found stands, whether or not it can be noted there.
        let noted = project.runner().apply(format_args!("record the result in {}", entry.name), || entry.save(folder));
        if let Err(error) = noted {
            project.warn(format_args!("the result was not recorded: {error}"));
        }
        Ok(verified)
    }
}

impl Outcome for VerifyReport {
    fn exit(&self) -> Exit {
        if self.backups.iter().all(|backup| backup.ok) { Exit::Ok } else { Exit::BadData }
    }

    fn next(&self) -> Vec<String> {
        let drilled = self.backups.iter().any(|backup| backup.drill_ms.is_some());
        match self.exit() {
            Exit::Ok if self.backups.is_empty() => vec!["cargo xtask db-backup".to_owned()],
            Exit::Ok if drilled => Vec::new(),
            Exit::Ok => vec!["cargo xtask db-verify latest --drill".to_owned()],
            _ => vec!["cargo xtask db-backup".to_owned()],
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backups.is_empty() {
            return f.write_str("nothing to verify");
        }
        let lines = self.backups.iter().map(|backup| {
            let took = |took: Option<u64>| seconds(Duration::from_millis(took.unwrap_or(0)));
            match (&backup.error, backup.drill_ms) {
                (Some(error), _) if backup.is_damaged => format!("damaged: {error}"),
                (Some(error), _) => format!("{}: not tested: {error}", backup.file),
                (None, Some(_)) => format!("{}: verified, and restored in {}", backup.file, took(backup.drill_ms)),
                (None, None) => format!("{}: verified, decoded in {}", backup.file, took(backup.decode_ms)),
            }
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
