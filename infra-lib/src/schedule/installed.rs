//! The installed jobs and their last runs.

use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Serialize;

use super::job::Job;
use super::record::{Planned, Record};
use super::runs;
use crate::journal::{self, Entry};
use crate::report::{Check, ago};
use crate::state::StateDir;

/// An installed job with its last run.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduledJob {
    /// The command and its schedule.
    #[serde(flatten)]
    pub job: Job,
    /// The last run: started by cron, or by hand if the journal has an entry for the same command.
    pub last: Option<Entry>,
    /// When it was due and did not run, if so.
    pub missed: Option<Timestamp>,
}

/// The kind of check that a job appears as.
pub(crate) const KIND: &str = "job";

impl ScheduledJob {
    /// Checks the state of the job at this time.
    pub(crate) fn check(&self, now: Timestamp) -> Check {
        let Self { job, last, missed } = self;
        let target = format!("{job} ({})", job.at);
        let ran = match last {
            Some(last) => format!("ran {} ago: {}", ago(last.at, now), last.outcome),
            None => "has not run yet".to_owned(),
        };
        if let Some(missed) = missed {
            let missed = missed.to_zoned(jiff::tz::TimeZone::system()).strftime("%F %R");
            return Check::fail(KIND, target, format!("was due at {missed}, {ran}"))
                .with_hint("was the machine on, and did cron run? Cron's mail or log may say more");
        }
        match last.as_ref().map(|last| (last.outcome.as_str(), last.error.as_ref())) {
            None | Some(("ok", _)) => Check::ok(KIND, target, ran),
            // The job ran and found a problem, which it reports itself.
            Some(("check-failed", _)) => Check::warn(KIND, target, ran),
            Some((_, error)) => {
                let error = error.and_then(|error| error.lines().next()).unwrap_or("it did not say why");
                Check::fail(KIND, target, format!("{ran}: {error}"))
            }
        }
    }
}

/// The installed jobs of an environment.
pub(crate) fn installed(state: &StateDir, environment: &str, record: Record, now: &Zoned) -> Vec<ScheduledJob> {
    let history = journal::read(state, usize::MAX);
    record.jobs.into_iter().map(|planned| last_run(state, environment, &history, planned, now)).collect()
}

fn last_run(state: &StateDir, environment: &str, history: &[Entry], planned: Planned, now: &Zoned) -> ScheduledJob {
    let Planned { job, since } = planned;
    let noted = runs::last(state, &job.id(environment));
    // The journal records no arguments, and checking a backup is not a restore drill.
    let journaled = history.iter().filter(|entry| job.command[..] == [entry.operation.as_str()]);
    let journaled = journaled.filter(|entry| entry.environment == environment).max_by_key(|entry| entry.at).cloned();
    let last = noted.into_iter().chain(journaled).max_by_key(|entry| entry.at);
    let missed = due(&job, now).filter(|due| since < *due && last.as_ref().is_none_or(|last| last.at < *due));
    ScheduledJob { job, last, missed }
}

/// The last due time, once the job should have finished. A job that takes longer than the time to its next run, or
/// six hours, counts as missed instead of running.
fn due(job: &Job, now: &Zoned) -> Option<Timestamp> {
    let (least, most) = (SignedDuration::from_mins(2), SignedDuration::from_hours(6));
    let patience = job.at.interval(now).unwrap_or(most).clamp(least, most);
    job.at.last_due(&now.checked_sub(patience).ok()?)
}
