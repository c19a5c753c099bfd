//! `schedule check`

use std::fmt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Serialize;

use crate::error::Result;
use crate::exit::Exit;
use crate::journal::{self, Entry, who};
use crate::probe::{Check, Listed, Verdict, failure};
use crate::project::Project;
use crate::report::ago;
use crate::schedule::cron::block::{block, split};
use crate::schedule::cron::{crontab, daemon};
use crate::schedule::pinned::{self, Copy};
use crate::schedule::record::{Planned, Record};
use crate::schedule::{Job, runs};

use super::in_place;

/// Whether what was installed is there and runs.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleCheck {
    /// The environment that the jobs are for.
    pub environment: String,
    /// One entry for each thing that was looked at.
    pub checks: Vec<Check>,
    /// The jobs.
    pub jobs: Vec<ScheduledJob>,
}

/// A job that is installed, and its last run.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduledJob {
    /// What, and when.
    #[serde(flatten)]
    pub job: Job,
    /// How it ended last: begun by cron, or by somebody, where the journal has it.
    pub last: Option<Entry>,
    /// When it should have run and has not.
    pub missed: Option<Timestamp>,
}

const INSTALL: &str = "`cargo xtask schedule install` writes them";

pub(super) fn run(project: &Project, program: &Path) -> Result<ScheduleCheck> {
    let environment = project.environment().name.clone();
    let record = Record::of(project.state(), &environment);
    let mut checks = vec![lines(project, &record)?];
    if !record.jobs.is_empty() {
        checks.push(copy(project, program));
    }
    checks.push(reader());
    let now = Zoned::now();
    let history = journal::read(project.state(), usize::MAX);
    let jobs: Vec<_> = record.jobs.into_iter().map(|planned| look(project, &history, planned, &now)).collect();
    checks.extend(jobs.iter().map(|job| told(job, now.timestamp())));
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
        (false, None) => Check::fail(KIND, target, "the installed lines are gone").with_hint(INSTALL),
        (_, Some(ours)) if ours != wanted.as_bytes() => {
            Check::fail(KIND, target, "the lines are not those that were installed").with_hint(INSTALL)
        }
        (_, Some(_)) => Check::ok(KIND, target, format!("{} jobs, as installed", record.jobs.len())),
    })
}

fn copy(project: &Project, program: &Path) -> Check {
    const KIND: &str = "program";
    let state = project.state();
    let target = pinned::path(state).to_string();
    let renew = "`cargo xtask schedule install` copies the running one";
    let compared = match pinned::compare(state, program) {
        Ok(Copy::Missing) => return Check::fail(KIND, target, "is not there").with_hint(renew),
        Ok(compared) => compared,
        Err(error) => return failure(KIND, &target, &error),
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
    match daemon::look() {
        daemon::Daemon::Runs(pid) => Check::ok(KIND, "cron", format!("runs, process {pid}")),
        daemon::Daemon::Absent => Check::fail(KIND, "cron", "does not run, so nobody reads the crontab")
            .with_hint("`systemctl enable --now cron`, or `service cron start`"),
        daemon::Daemon::Unknown => Check::skip(KIND, "cron", "the processes of others cannot be seen from here"),
    }
}

fn look(project: &Project, history: &[Entry], planned: Planned, now: &Zoned) -> ScheduledJob {
    let Planned { job, since } = planned;
    let environment = &project.environment().name;
    let noted = runs::last(project.state(), &job.id(environment));
    let journaled = history.iter().filter(|entry| entry.operation == job.operation());
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

fn told(scheduled: &ScheduledJob, now: Timestamp) -> Check {
    const KIND: &str = "job";
    let ScheduledJob { job, last, missed } = scheduled;
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
