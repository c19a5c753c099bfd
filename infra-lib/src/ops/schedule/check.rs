//! `schedule check`

use std::fmt;
use std::path::Path;

use jiff::Zoned;
use serde::Serialize;

use crate::exit::Exit;
use crate::journal::who;
use crate::probe::{Check, Verdict, failure};
use crate::project::Project;
use crate::project::error::Result;
use crate::report::{Listed, counted};
use crate::schedule::ScheduledJob;
use crate::schedule::cron::block::{block, split};
use crate::schedule::cron::{crontab, daemon};
use crate::schedule::installed::installed;
use crate::schedule::pinned::{self, Copy};
use crate::schedule::record::Record;

use super::in_place;

/// Whether what was installed is there and runs.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleCheck {
    /// The environment that the jobs are for.
    pub environment: String,
    /// One entry for each thing that was looked at.
    pub checks: Vec<Check>,
    /// The installed jobs of this environment, each with its last run.
    pub jobs: Vec<ScheduledJob>,
}

const INSTALL: &str = "`cargo xtask schedule install` writes them";

pub(super) fn run(project: &Project, program: &Path) -> Result<ScheduleCheck> {
    let environment = project.environment().name.clone();
    let record = Record::read(project.state(), &environment);
    let mut checks = vec![lines(project, &record)?];
    if !record.jobs.is_empty() {
        checks.push(copy(project, program));
    }
    checks.push(reader());
    let now = Zoned::now();
    let jobs = installed(project.state(), &project.environment().name, record, &now);
    checks.extend(jobs.iter().map(|job| job.check(now.timestamp())));
    Ok(ScheduleCheck { environment, checks, jobs })
}

fn lines(project: &Project, record: &Record) -> Result<Check> {
    const KIND: &str = "crontab";
    let target = who();
    let found = crontab::read(project.runner())?;
    let ours = match in_place(project, |place| split(&found, place)) {
        Ok(split) => split.ours,
        Err(error) => return Ok(failure(KIND, &target, &error.into())),
    };
    let wanted = in_place(project, |place| block(place, record))?;
    Ok(match (record.jobs.is_empty(), ours) {
        (true, None) => Check::fail(KIND, target, "nothing is scheduled in this environment").with_hint(INSTALL),
        (false, None) => Check::fail(KIND, target, "the installed lines are missing").with_hint(INSTALL),
        (_, Some(ours)) if ours != wanted.as_bytes() => {
            Check::fail(KIND, target, "the lines differ from those that were installed").with_hint(INSTALL)
        }
        (_, Some(_)) => Check::ok(KIND, target, format!("{}, as installed", counted(record.jobs.len(), "job"))),
    })
}

fn copy(project: &Project, program: &Path) -> Check {
    const KIND: &str = "program";
    let state = project.state();
    let target = pinned::path(state).to_string();
    let renew = "`cargo xtask schedule install` copies the running one";
    let compared = match pinned::compare(state, program) {
        Ok(Copy::Missing) => return Check::fail(KIND, target, "is missing").with_hint(renew),
        Ok(compared) => compared,
        Err(error) => return failure(KIND, &target, &error.into()),
    };
    let version = match pinned::prove(project.runner(), state) {
        Ok(version) => version,
        Err(error) => return Check::fail(KIND, target, error.to_string()).with_hint(renew),
    };
    match compared {
        Copy::Same | Copy::Missing => Check::ok(KIND, target, format!("{version}, the same as the running program")),
        Copy::Older => Check::warn(KIND, target, format!("{version}, older than the running program")).with_hint(renew),
        Copy::Newer => Check::warn(KIND, target, format!("{version}, newer than the running program")),
    }
}

fn reader() -> Check {
    const KIND: &str = "daemon";
    match daemon::check() {
        daemon::Daemon::Runs(pid) => Check::ok(KIND, "cron", format!("runs, process {pid}")),
        daemon::Daemon::Absent => Check::fail(KIND, "cron", "is not running, so no crontab is read")
            .with_hint("`systemctl enable --now cron`, or `service cron start`"),
        daemon::Daemon::Unknown => Check::skip(KIND, "cron", "cannot be seen from here"),
    }
}

impl ScheduleCheck {
    pub(super) fn exit(&self) -> Exit {
        if self.checks.iter().any(|check| check.status == Verdict::Fail) { Exit::CheckFailed } else { Exit::Ok }
    }
}

impl fmt::Display for ScheduleCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Listed(&self.checks).fmt(f)
    }
}
