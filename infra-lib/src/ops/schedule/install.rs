//! `schedule install`

use std::fmt;
use std::path::Path;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::journal::who;
use crate::project::Project;
use crate::project::error::Result;
use crate::report::table;
use crate::schedule::Job;
use crate::schedule::cron::block::{block, split};
use crate::schedule::cron::{crontab, daemon};
use crate::schedule::pinned::{self, Copy};
use crate::schedule::record::Record;

use super::{NewJob, in_place};

/// What is installed now.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleInstalled {
    /// The environment that the jobs are for.
    pub environment: String,
    /// Whose crontab it is.
    pub user: String,
    /// All jobs of this environment.
    pub jobs: Vec<Job>,
    /// The program that they run.
    pub program: Utf8PathBuf,
    /// Whether that was copied now; otherwise it was the same already.
    pub copied: bool,
    /// Whether the crontab was changed; otherwise it had these lines already.
    pub changed: bool,
}

pub(super) fn run(project: &Project, job: &NewJob, program: &Path) -> Result<ScheduleInstalled> {
    let (runner, state, environment) = (project.runner(), project.state(), &project.environment().name);
    let _hold = crontab::hold(project.cancel())?;
    let record = job.planned(project)?;
    let lines = in_place(project, |place| block(place, &record))?;
    // Whatever may be wrong with the crontab is known before anything is written.
    let found = crontab::read(runner)?;
    let wanted = in_place(project, |place| split(&found, place))?.with(&lines);

    let copied = pinned::compare(state, program)? != Copy::Same;
    let copy = pinned::path(state);
    if copied {
        runner.apply(format_args!("copy this program to {copy}"), || pinned::pin(state, program))?;
    }
    if !runner.is_dry_run() {
        pinned::prove(runner, state)?;
    }
    let changed = wanted != found;
    if changed {
        let what = format!("write to the crontab of {}:\n{}", who(), lines.trim_end());
        runner.apply(what.replace('\n', "\n#   "), || crontab::write(runner, &wanted))?;
    }
    if !runner.is_dry_run() && Record::read(state, environment) != record {
        record.write(state, environment)?;
    }
    if daemon::check() == daemon::Daemon::Absent {
        project
            .warn("no cron daemon is running on this machine, so no crontab is read; `service cron start` starts it");
    }
    let jobs = record.jobs.into_iter().map(|planned| planned.job).collect();
    Ok(ScheduleInstalled { environment: environment.clone(), user: who(), jobs, program: copy, copied, changed })
}

impl fmt::Display for ScheduleInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, user, jobs, program, copied, changed } = self;
        let rows = jobs.iter().map(|job| [job.at.to_string(), job.to_string()]);
        writeln!(f, "{}\n", table(["AT", "COMMAND"], rows))?;
        let verb = if *changed { "is now" } else { "was already" };
        writeln!(f, "this {verb} in the crontab of {user}, for the environment {environment}")?;
        write!(f, "the jobs run {program}, {}", if *copied { "a copy of this program" } else { "which is up to date" })
    }
}
