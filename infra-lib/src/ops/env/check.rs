//! `env check`

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::dotenv::{self, Expectations, Finding, Severity};
use crate::error::Result;
use crate::exec;
use crate::project::Project;

/// What the check found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvCheck {
    /// Each finding, in the order of the files' lines.
    pub findings: Vec<Finding>,
}

impl EnvCheck {
    /// Whether any finding is more than a warning.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

pub(super) fn run(project: &Project) -> Result<EnvCheck> {
    project.require_env_file()?;
    Ok(EnvCheck { findings: findings(project)? })
}

/// Everything that is to be said about the env files of the environment.
pub(crate) fn findings(project: &Project) -> Result<Vec<Finding>> {
    let files = super::files(project)?;
    let templates =
        files.iter().filter_map(|file| super::template(file.path()).transpose()).collect::<Result<Vec<_>>>()?;
    let rules = super::rules::here(project, &templates)?;
    let expected = Expectations {
        templates: &templates,
        rules: &rules,
        rotated: &project.secret_ages(),
        now: Timestamp::now(),
        protected: project.environment().protected,
    };
    let mut findings = dotenv::check(&files, exec::inherited, &expected);
    for finding in &mut findings {
        finding.path = finding
            .path
            .take()
            .map(|path| path.strip_prefix(project.root()).map(camino::Utf8Path::to_owned).unwrap_or(path));
    }
    Ok(findings)
}

impl fmt::Display for EnvCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str("the env files are in order");
        }
        let lines: Vec<_> = self
            .findings
            .iter()
            .map(|finding| {
                let severity = match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                format!("{severity}: {finding}\n  {}", finding.fix)
            })
            .collect();
        f.write_str(&lines.join("\n"))
    }
}
