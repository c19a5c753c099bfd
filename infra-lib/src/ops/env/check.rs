//! `env check`

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::dotenv::{self, EnvFile, Expectations, Finding, FindingCode, Severity};
use crate::error::Result;
use crate::exec;
use crate::project::{Project, template_of};

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
    let (files, template) = super::files(project)?;
    let expected = Expectations {
        template: template.as_ref(),
        rules: &project.manifest().env,
        rotated: &project.secret_ages(),
        now: Timestamp::now(),
        protected: project.environment().protected,
    };
    let mut findings = dotenv::check(&files, exec::inherited, &expected);
    findings.retain(|finding| finding.code != FindingCode::Extra || !is_of_another_template(finding, &files));
    for finding in &mut findings {
        finding.path = finding
            .path
            .take()
            .map(|path| path.strip_prefix(project.root()).map(camino::Utf8Path::to_owned).unwrap_or(path));
    }
    Ok(findings)
}

/// Whether the file that the key stands in has a template of its own, and it is there; or has none to be in.
fn is_of_another_template(finding: &Finding, files: &[EnvFile]) -> bool {
    let (Some(path), Some(key)) = (&finding.path, &finding.key) else { return false };
    let is_read = files.iter().any(|file| file.path() == path);
    match EnvFile::read(template_of(path)) {
        Ok(template) => template.entry(key).is_some(),
        Err(_) => is_read,
    }
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
