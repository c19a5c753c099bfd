//! `env check`

use std::fmt;

use serde::Serialize;

use crate::dotenv::Finding;
use crate::project::Project;
use crate::project::env_files::findings;
use crate::project::error::Result;
use crate::report::Severity;

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
    Ok(EnvCheck { findings: findings(project)? })
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
