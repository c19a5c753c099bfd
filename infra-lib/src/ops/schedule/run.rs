//! `schedule run`

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::{Timestamp, Zoned};
use serde::Serialize;

use crate::exec::{ExecError, Invocation};
use crate::project::Project;
use crate::project::error::Result;
use crate::report::counted;
use crate::schedule::{Job, runs};

use super::NewJob;

/// How it ended: by a request, which is all that ends it.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleRan {
    /// How many jobs have run.
    pub runs: u64,
}

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Runs the jobs when they are due, one after another, until a signal ends it: for a container, which has no cron. What was
/// due while it was not running runs immediately.
pub(super) fn run(project: &Project, new: &NewJob, program: &Path) -> Result<ScheduleRan> {
    let jobs: Vec<Job> = match new.job()? {
        Some(job) => vec![job],
        None => new.planned(project)?.jobs.into_iter().map(|planned| planned.job).collect(),
    };
    jobs.iter().try_for_each(|job| project.check_command(&job.command))?;
    for job in &jobs {
        project.step(format_args!("`{job}` runs at {}", job.at));
    }
    let mut ran = ScheduleRan { runs: 0 };
    // Of this process alone, so that a job which cannot note its end is not run each second.
    let mut begun = vec![None; jobs.len()];
    loop {
        for (job, begun) in jobs.iter().zip(&mut begun) {
            if is_due(project, job, *begun) {
                *begun = Some(Timestamp::now());
                execute(project, job, program);
                ran.runs += 1;
            }
        }
        if project.cancel().sleep(TICK).is_err() {
            return Ok(ran);
        }
    }
}

/// Whether it was due since it last began. One that has never run is due.
fn is_due(project: &Project, job: &Job, begun: Option<Timestamp>) -> bool {
    let noted = runs::last(project.state(), &job.id(&project.environment().name)).map(|entry| entry.at);
    let Some(last) = begun.max(noted) else { return true };
    job.at.last_due(&Zoned::now()).is_some_and(|due| due > last)
}

/// Runs it as a process of its own, as cron would: whatever becomes of it, the next one runs.
fn execute(project: &Project, job: &Job, program: &Path) {
    let environment = &project.environment().name;
    let call = Invocation::new(program.to_string_lossy())
        .args(["-C", project.root().as_str(), "-e", environment, "--quiet"])
        .args(&job.command)
        .env(runs::VARIABLE, job.id(environment))
        .relay(job.operation());
    match project.runner().change(&call) {
        Ok(_) => project.note(format_args!("`{job}` succeeded at {:.0}", Timestamp::now())),
        Err(ExecError::Cancelled { .. }) => {}
        Err(error) => project.warn(format_args!("`{job}` failed: {error}")),
    }
}

impl fmt::Display for ScheduleRan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ran {}", counted(self.runs, "job"))
    }
}
