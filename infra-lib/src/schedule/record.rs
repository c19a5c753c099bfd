//! The record of installed jobs, used to detect a crontab that lost them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::Job;
use crate::state::{StateDir, StateError};

/// The jobs of one environment as they were installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) jobs: Vec<Planned>,
    /// The environment variables of the jobs, recorded at installation. Cron itself sets almost none.
    pub(crate) variables: BTreeMap<String, String>,
}

/// An installed job with its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    #[serde(flatten)]
    pub(crate) job: Job,
    /// Since when it has this schedule.
    pub(crate) since: Timestamp,
}

impl Record {
    /// The installed jobs of this environment; empty if there are none.
    pub(crate) fn read(state: &StateDir, environment: &str) -> Self {
        state.read(&file(environment)).unwrap_or_default()
    }

    /// Adds this job, replacing one with the same command.
    pub(crate) fn with(mut self, job: Job, now: Timestamp) -> Self {
        match self.jobs.iter_mut().find(|known| known.job.command == job.command) {
            Some(known) if known.job == job => {}
            Some(known) => *known = Planned { job, since: now },
            None => self.jobs.push(Planned { job, since: now }),
        }
        self
    }

    /// Saves the record of this environment.
    pub(crate) fn write(&self, state: &StateDir, environment: &str) -> Result<(), StateError> {
        state.write(&file(environment), self)
    }
}

fn file(environment: &str) -> String {
    format!("schedule-{environment}.json")
}
