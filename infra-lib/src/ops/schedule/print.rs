//! `schedule print`

use std::fmt;

use serde::Serialize;

use crate::project::Project;
use crate::project::error::Result;
use crate::schedule::Job;
use crate::schedule::cron::block::block;

use super::{NewJob, in_place};

/// The lines that `schedule install` would write.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SchedulePrinted {
    /// The environment that the jobs are for.
    pub environment: String,
    /// The jobs that `schedule install` would install.
    pub jobs: Vec<Job>,
    /// Their lines, with the marks around them.
    pub crontab: String,
}

pub(super) fn run(project: &Project, job: &NewJob) -> Result<SchedulePrinted> {
    let record = job.planned(project)?;
    let crontab = in_place(project, |place| block(place, &record))?;
    let jobs = record.jobs.into_iter().map(|planned| planned.job).collect();
    Ok(SchedulePrinted { environment: project.environment().name.clone(), jobs, crontab })
}

impl fmt::Display for SchedulePrinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.crontab)
    }
}
