//! `schedule remove`

use std::fmt;

use serde::Serialize;

use crate::exit::Exit;
use crate::journal::who;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::schedule::Job;
use crate::schedule::cron::block::{block, split};
use crate::schedule::cron::crontab;
use crate::schedule::record::Record;

use super::in_place;

/// What is not scheduled any more.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleRemoved {
    /// The environment that the jobs were for.
    pub environment: String,
    /// The jobs that were installed and are not any more.
    pub removed: Vec<Job>,
    /// Whether the crontab was changed.
    pub changed: bool,
}

pub(super) fn run(project: &Project, command: &[String]) -> Result<ScheduleRemoved> {
    let (runner, state, environment) = (project.runner(), project.state(), &project.environment().name);
    let _hold = crontab::hold(project.cancel())?;
    let mut record = Record::read(state, environment);
    let gone = record.jobs.extract_if(.., |planned| command.is_empty() || planned.job.command == command);
    let removed: Vec<Job> = gone.map(|planned| planned.job).collect();
    if removed.is_empty() && !command.is_empty() {
        let line = shlex::try_join(command.iter().map(String::as_str)).unwrap_or_default();
        return Err(Error::new(Exit::NotFound, format!("`{line}` is not scheduled in the environment {environment}"))
            .with_hint("`cargo xtask schedule check` lists what is"));
    }
    let found = crontab::read(runner)?;
    let wanted = in_place(project, |place| {
        let split = split(&found, place)?;
        if record.jobs.is_empty() { Ok(split.without()) } else { Ok(split.with(&block(place, &record)?)) }
    });
    let wanted = wanted.map_err(|error: crate::schedule::ScheduleError| Error::from(error))?;
    let changed = wanted != found;
    if changed {
        let what = format!("remove this project's lines from the crontab of {}", who());
        runner.apply(what, || crontab::write(runner, &wanted))?;
    }
    if !runner.is_dry_run() && !removed.is_empty() {
        record.write(state, environment)?;
    }
    Ok(ScheduleRemoved { environment: environment.clone(), removed, changed })
}

impl fmt::Display for ScheduleRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, removed, changed } = self;
        for job in removed {
            writeln!(f, "removed {job}, {}", job.at)?;
        }
        match (changed, removed.is_empty()) {
            (false, true) => write!(f, "nothing was scheduled for the environment {environment}"),
            (false, false) => write!(f, "the crontab no longer had them"),
            (true, _) => write!(f, "the rest of the crontab is as it was"),
        }
    }
}
