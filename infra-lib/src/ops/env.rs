//! `env`

mod check;
mod explain;
mod export;
mod fill;
mod print;
mod rotate;

use std::fmt;

use serde::Serialize;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};

pub use check::EnvCheck;
pub use explain::{EnvExplanation, ExplainedVariable, SecretOrigin};
pub use export::{EnvExported, ExportedVariable};
pub use fill::EnvFilled;
pub use print::{EnvPrinted, PrintedVariable};
pub use rotate::EnvRotated;

/// Print, explain, check and change the variables of env files.
///
/// Secrets are shown only by `export`.
///
/// Without a subcommand, it prints the variables.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Env {
    /// What to do; `None` prints the variables.
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
    /// Show where each value comes from, and which values it overrides.
    Explain {
        /// Only this variable.
        key: Option<String>,
    },
    /// Print `export KEY='value'` lines for a shell, with secrets and the database's URL; a terminal needs --yes.
    Export,
    /// Report variables that are missing, duplicate, malformed, weak, placeholders, overdue, or read
    /// differently elsewhere.
    Check,
    /// Append variables that the env file lacks from its template, and generate secrets that have a rule.
    Fill,
    /// Replace a secret with a new one; for the database's password, also change the role's.
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
    /// Of `export`.
    Exported(EnvExported),
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
            Some(EnvAction::Export) => EnvReport::Exported(export::run(project)?),
            Some(EnvAction::Check) => EnvReport::Checked(check::run(project)?),
            Some(EnvAction::Fill) => EnvReport::Filled(fill::run(project)?),
            Some(EnvAction::Rotate { key }) => EnvReport::Rotated(rotate::run(project, key)?),
        })
    }
}

impl Outcome for EnvReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Checked(check) if check.has_errors() => Exit::CheckFailed,
            _ => Exit::Ok,
        }
    }

    fn is_streamed(&self) -> bool {
        matches!(self, Self::Exported(_))
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
            Self::Exported(exported) => exported.fmt(f),
            Self::Checked(check) => check.fmt(f),
            Self::Filled(filled) => filled.fmt(f),
            Self::Rotated(rotated) => rotated.fmt(f),
        }
    }
}
