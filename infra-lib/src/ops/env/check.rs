//! `env check`

use std::fmt;

use serde::Serialize;

use crate::dotenv::references::outer_references;
use crate::dotenv::{Finding, FindingCode};
use crate::project::Project;
use crate::project::env_files::findings;
use crate::project::error::Result;
use crate::report::Severity;

/// Compose sets it itself.
const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";

/// What the check found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvCheck {
    /// Each finding, in the order of the files' lines.
    pub findings: Vec<Finding>,
}

impl EnvCheck {
    /// Whether any finding is more than a warning.
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

pub(super) fn run(project: &Project) -> Result<EnvCheck> {
    project.expect_env_file()?;
    let mut findings = findings(project)?;
    for finding in unset(project) {
        if !findings.iter().any(|known| known.key == finding.key) {
            findings.push(finding);
        }
    }
    Ok(EnvCheck { findings })
}

/// The variables that the compose files use without a default and that are set nowhere, each once. Compose itself names
/// one at a time.
fn unset(project: &Project) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (text, place) in project.sources().texts(&|_| true) {
        for reference in outer_references(text) {
            let (severity, may_be_empty) = match reference.operator {
                "" => (Severity::Warning, true),
                "?" => (Severity::Error, true),
                ":?" => (Severity::Error, false),
                _ => continue,
            };
            let is_set = project.variable(reference.name).is_some_and(|value| may_be_empty || !value.is_empty());
            let is_known = found.iter().any(|it| it.key.as_deref() == Some(reference.name) && it.severity >= severity);
            if is_set || is_known || reference.name == PROJECT_NAME {
                continue;
            }
            found.retain(|it| it.key.as_deref() != Some(reference.name));
            found.push(Finding {
                code: FindingCode::UnsetReference,
                severity,
                key: Some(reference.name.to_owned()),
                path: Some(place.file.clone().into()),
                lines: place.line.into_iter().collect(),
                message: "is used here and is set nowhere".to_owned(),
                fix: format!("set it in {}, or give it a default here", project.environment().own_env_file),
            });
        }
    }
    found
}

impl fmt::Display for EnvCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str("no problems in the env files");
        }
        let lines: Vec<_> =
            self.findings.iter().map(|finding| format!("{}: {finding}\n  {}", finding.severity, finding.fix)).collect();
        f.write_str(&lines.join("\n"))
    }
}
