//! The jobs that are installed: whether they have run.

use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Serialize;

use super::job::Job;
use super::record::{Planned, Record};
use super::runs;
use crate::journal::{self, Entry};
use crate::probe::Check;
use crate::project::Project;
use crate::report::ago;

/// A job that is installed, and its last run.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduledJob {
    /// What, and when.
    #[serde(flatten)]
    pub job: Job,
    /// How it ended last: begun by cron, or by hand, where the journal has the same.
    pub last: Option<Entry>,
    /// When it should have run and has not.
    pub missed: Option<Timestamp>,
}

/// What a job is called among checks.
pub(crate) const KIND: &str = "job";

impl ScheduledJob {
    /// How it looks at this moment.
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
            // It ran, and what it looked at is not well; that is for itself to say.
            Some(("check-failed", _)) => Check::warn(KIND, target, ran),
            Some((_, error)) => {
                let error = error.and_then(|error| error.lines().next()).unwrap_or("it did not say why");
                Check::fail(KIND, target, format!("{ran}: {error}"))
            }
        }
    }
}

/// The installed jobs of the project's environment.
pub(crate) fn installed(project: &Project, record: Record, now: &Zoned) -> Vec<ScheduledJob> {
    let history = journal::read(project.state(), usize::MAX);
    record.jobs.into_iter().map(|planned| look(project, &history, planned, now)).collect()
}

fn look(project: &Project, history: &[Entry], planned: Planned, now: &Zoned) -> ScheduledJob {
    let Planned { job, since } = planned;
    let environment = &project.environment().name;
    let noted = runs::last(project.state(), &job.id(environment));
    // The journal knows no arguments: a look at a backup is no drill.
    let journaled = history.iter().filter(|entry| job.command[..] == [entry.operation.as_str()]);
    let journaled = journaled.filter(|entry| entry.environment == *environment).max_by_key(|entry| entry.at).cloned();
    let last = noted.into_iter().chain(journaled).max_by_key(|entry| entry.at);
    let missed = due(&job, now).filter(|due| since < *due && last.as_ref().is_none_or(|last| last.at < *due));
    ScheduledJob { job, last, missed }
}

/// When the job should have begun so long ago that it should have ended. What takes longer than the time to its next run,
/// or six hours, is missed rather than at work.
fn due(job: &Job, now: &Zoned) -> Option<Timestamp> {
    let (least, most) = (SignedDuration::from_mins(2), SignedDuration::from_hours(6));
    let patience = job.at.interval(now).unwrap_or(most).clamp(least, most);
    job.at.last_due(&now.checked_sub(patience).ok()?)
}
