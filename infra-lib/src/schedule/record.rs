//! What was installed, so that a crontab which lost it is noticed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::Job;
use crate::error::Result;
use crate::state::StateDir;

/// The jobs of one environment as they were installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) jobs: Vec<Planned>,
    /// What the jobs find in their environment, noted where they were installed: cron's own has next to nothing.
    pub(crate) variables: BTreeMap<String, String>,
}

/// A job that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    #[serde(flatten)]
    pub(crate) job: Job,
    /// Since when it runs at these times.
    pub(crate) since: Timestamp,
}

impl Record {
    /// What was installed for this environment; empty where nothing was.
    pub(crate) fn of(state: &StateDir, environment: &str) -> Self {
        state.read(&file(environment)).unwrap_or_default()
    }

    /// The same with this job, in the place of one with the same command.
    pub(crate) fn with(mut self, job: Job, now: Timestamp) -> Self {
        match self.jobs.iter_mut().find(|known| known.job.command == job.command) {
            Some(known) if known.job == job => {}
            Some(known) => *known = Planned { job, since: now },
            None => self.jobs.push(Planned { job, since: now }),
        }
        self
    }

    /// Notes it for this environment.
    pub(crate) fn write(&self, state: &StateDir, environment: &str) -> Result<()> {
        state.write(&file(environment), self)
    }
}

fn file(environment: &str) -> String {
    format!("schedule-{environment}.json")
}
