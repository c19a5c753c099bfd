//! `doctor`

use std::fmt;

use serde::Serialize;

use crate::checks;
use crate::exit::Exit;
use crate::probe::{Check, Verdict};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::Listed;

/// Find problems with this machine and this project.
///
/// Prints one line per check, and how to fix what is wrong. Changes nothing.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Doctor {}

/// The result of `doctor`: all checks, passed and failed.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DoctorReport {
    /// One entry for each thing that was looked at.
    pub checks: Vec<Check>,
}

impl Operation for Doctor {
    const NAME: &'static str = "doctor";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = DoctorReport;

    fn run(&self, project: &Project) -> Result<DoctorReport> {
        let checks = checks::everything(project);
        project.cancel().check()?;
        Ok(DoctorReport { checks })
    }
}

impl Outcome for DoctorReport {
    fn exit(&self) -> Exit {
        if self.checks.iter().any(|check| check.status == Verdict::Fail) { Exit::CheckFailed } else { Exit::Ok }
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Listed(&self.checks).fmt(f)
    }
}
