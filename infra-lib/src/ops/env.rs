//! `env`

mod check;
mod committed;
mod explain;
mod fill;
mod print;
mod rotate;
mod rules;

use std::fmt;

use camino::Utf8Path;
use serde::Serialize;

use crate::dotenv::EnvFile;
use crate::error::Result;
use crate::exit::Exit;
use crate::operation::{Group, Operation, Outcome};
use crate::project::{Project, template_of};

pub use check::EnvCheck;
pub(crate) use check::findings;
pub(crate) use committed::committed;
pub use explain::EnvExplanation;
pub use fill::EnvFilled;
pub use print::EnvPrinted;
pub use rotate::EnvRotated;

/// Print, explain, check and change the variables of the env files.
///
/// Secrets are never shown.
///
/// Without a subcommand it prints.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Env {
    /// What to do.
    #[cfg_attr(feature = "cli", command(subcommand))]
    pub action: Option<EnvAction>,
}

/// What to do with the variables.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cli", derive(clap::Subcommand))]
#[non_exhaustive]
pub enum EnvAction {
    /// Print each variable with the value that Compose sees, secrets masked.
    Print,
    /// Say where each value comes from, and what it hides.
    Explain {
        /// Only this variable.
        key: Option<String>,
    },
    /// Report what is missing, doubled, malformed, weak, a placeholder, overdue, or read differently by other programs.
    Check,
    /// Append what the template has and the env file lacks, with fresh secrets where a rule says so.
    Fill,
    /// Replace one secret by a fresh one; for the database's password, change the role's too.
    Rotate {
        /// The variable, or the compose secret.
        key: String,
    },
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum EnvReport {
    /// Of `print`.
    Printed(EnvPrinted),
    /// Of `explain`.
    Explained(EnvExplanation),
    /// Of `check`.
    Checked(EnvCheck),
    /// Of `fill`.
    Filled(EnvFilled),
    /// Of `rotate`.
    Rotated(EnvRotated),
}

impl Operation for Env {
    const NAME: &'static str = "env";
    const GROUP: Group = Group::General;
    type Outcome = EnvReport;

    fn is_journaled(&self) -> bool {
        matches!(self.action, Some(EnvAction::Fill | EnvAction::Rotate { .. }))
    }

    fn run(&self, project: &Project) -> Result<EnvReport> {
        Ok(match &self.action {
            None | Some(EnvAction::Print) => EnvReport::Printed(print::run(project)),
            Some(EnvAction::Explain { key }) => EnvReport::Explained(explain::run(project, key.as_deref())?),
            Some(EnvAction::Check) => EnvReport::Checked(check::run(project)?),
            Some(EnvAction::Fill) => EnvReport::Filled(fill::run(project)?),
            Some(EnvAction::Rotate { key }) => EnvReport::Rotated(rotate::run(project, key)?),
        })
    }
}

/// The env files of the environment.
pub(super) fn files(project: &Project) -> Result<Vec<EnvFile>> {
    Ok(project.environment().env_files.iter().map(EnvFile::read).collect::<Result<_, _>>()?)
}

/// The env files that services read by themselves.
pub(super) fn service_files(project: &Project) -> Result<Vec<EnvFile>> {
    let files = project.environment().service_env_files.iter().filter(|path| path.is_file());
    Ok(files.map(EnvFile::read).collect::<Result<_, _>>()?)
}

/// Whether a variable is one of these services' files or of their templates, and of no file of the environment.
pub(super) fn is_of_services(services: &[EnvFile], files: &[EnvFile], key: &str) -> Result<bool> {
    let has = |files: &[EnvFile]| -> Result<bool> {
        for file in files {
            if file.entry(key).is_some() || template(file.path())?.is_some_and(|it| it.entry(key).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(has(services)? && !has(files)?)
}

/// An env file's template, if it has one.
pub(super) fn template(env_file: &Utf8Path) -> Result<Option<EnvFile>> {
    let template = template_of(env_file);
    Ok(template.is_file().then(|| EnvFile::read(template)).transpose()?)
}

impl Outcome for EnvReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Checked(check) if check.has_errors() => Exit::CheckFailed,
            _ => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self {
            Self::Rotated(rotated) if rotated.restart => {
                vec![format!("cargo xtask {}", if rotated.in_a_line { "start" } else { "restart" })]
            }
            Self::Filled(_) => vec!["cargo xtask env check".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for EnvReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Printed(printed) => printed.fmt(f),
            Self::Explained(explained) => explained.fmt(f),
            Self::Checked(check) => check.fmt(f),
            Self::Filled(filled) => filled.fmt(f),
            Self::Rotated(rotated) => rotated.fmt(f),
        }
    }
}
