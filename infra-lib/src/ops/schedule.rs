//! `schedule`

mod check;
mod install;
mod print;
mod remove;
mod run;

use std::fmt;
use std::path::PathBuf;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use crate::exit::Exit;
use crate::postgres::PostgresError;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::schedule::cron::{self, Place};
use crate::schedule::record::Record;
use crate::schedule::{Job, When, pinned, usual};

pub use check::ScheduleCheck;
pub use install::ScheduleInstalled;
pub use print::SchedulePrinted;
pub use remove::ScheduleRemoved;
pub use run::ScheduleRan;

/// Print, install, check or remove cron jobs.
///
/// Without a job: a backup each night, a restore drill each week, and a health check every five minutes.
///
/// Without a subcommand, it prints the lines.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Schedule {
    /// What to do; `None` prints the lines that `install` would write.
    #[cfg_attr(feature = "cli", command(subcommand))]
    pub action: Option<ScheduleAction>,
    /// The program that the jobs run a copy of, where it is not the running one.
    #[cfg_attr(feature = "cli", arg(skip))]
    pub program: Option<PathBuf>,
}

/// What to do about the jobs of this environment.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cli", derive(clap::Subcommand))]
#[non_exhaustive]
pub enum ScheduleAction {
    /// Print the lines that `install` would write.
    Print(NewJob),
    /// Write the lines to your crontab, and copy this program, so that jobs run even if the working tree is broken.
    Install(NewJob),
    /// Remove the lines from your crontab.
    Remove {
        /// Only the job with this command.
        #[cfg_attr(feature = "cli", arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND"))]
        command: Vec<String>,
    },
    /// Run jobs in the foreground when they are due, until a signal: for containers, which have no cron.
    Run(NewJob),
    /// Check that the lines are installed, cron runs, and each job has run when due.
    Check,
}

/// A job to add, or to replace the one with the same command; empty for none.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct NewJob {
    /// When to run: `daily 02:30`, `weekly sun 04:00`, `every 5m`, `hourly`, or cron's five fields.
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME", requires = "command"))]
    pub at: Option<When>,
    /// The command with its arguments, as after `cargo xtask`.
    #[cfg_attr(
        feature = "cli",
        arg(trailing_var_arg = true, allow_hyphen_values = true, requires = "at", value_name = "COMMAND")
    )]
    pub command: Vec<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ScheduleReport {
    /// Of `print`.
    Printed(SchedulePrinted),
    /// Of `install`.
    Installed(ScheduleInstalled),
    /// Of `remove`.
    Removed(ScheduleRemoved),
    /// Of `run`.
    Ran(ScheduleRan),
    /// Of `check`.
    Checked(ScheduleCheck),
}

impl Operation for Schedule {
    const NAME: &'static str = "schedule";
    const GROUP: Group = Group::Unattended;
    type Outcome = ScheduleReport;

    fn is_journaled(&self) -> bool {
        matches!(self.action, Some(ScheduleAction::Install(_) | ScheduleAction::Remove { .. }))
    }

    fn run(&self, project: &Project) -> Result<ScheduleReport> {
        let program = self.program.clone().unwrap_or_else(pinned::running);
        Ok(match &self.action {
            None => ScheduleReport::Printed(print::run(project, &NewJob::default())?),
            Some(ScheduleAction::Print(job)) => ScheduleReport::Printed(print::run(project, job)?),
            Some(ScheduleAction::Install(job)) => ScheduleReport::Installed(install::run(project, job, &program)?),
            Some(ScheduleAction::Remove { command }) => ScheduleReport::Removed(remove::run(project, command)?),
            Some(ScheduleAction::Run(job)) => ScheduleReport::Ran(run::run(project, job, &program)?),
            Some(ScheduleAction::Check) => ScheduleReport::Checked(check::run(project, &program)?),
        })
    }
}

impl NewJob {
    /// The job, if one is meant.
    fn job(&self) -> Result<Option<Job>> {
        let (at, command) = match (&self.at, &self.command[..]) {
            (None, []) => return Ok(None),
            (Some(at), [_, ..]) => (at.clone(), self.command.clone()),
            (Some(_), []) => return Err(Error::new(Exit::Usage, "missing command for --at")),
            (None, _) => return Err(Error::new(Exit::Usage, "missing --at for the command")),
        };
        Ok(Some(Job { at, command }))
    }

    /// What is installed once this job is: beside those that are already, or the usual ones where nothing is stated.
    fn planned(&self, project: &Project) -> Result<Record> {
        let known = Record::read(project.state(), &project.environment().name);
        let new = match self.job()? {
            Some(job) => vec![job],
            None if known.jobs.is_empty() => usual(has_database(project)),
            None => Vec::new(),
        };
        let now = Timestamp::now();
        let record = new.into_iter().fold(known, |record, job| record.with(job, now));
        // Those that are installed already too: this program may be another one than theirs.
        record.jobs.iter().try_for_each(|planned| project.check_command(&planned.job.command))?;
        Ok(Record { variables: cron::variables(project.runner()), ..record })
    }
}

/// Whether there is a database, as far as can be said without it.
fn has_database(project: &Project) -> bool {
    !project.database().is_err_and(|error| matches!(error.downcast_ref(), Some(PostgresError::NotFound)))
}

/// Calls this with the place for which the jobs of the project run.
fn in_place<T>(project: &Project, action: impl FnOnce(&Place<'_>) -> T) -> T {
    let program: Utf8PathBuf = pinned::path(project.state());
    let environment = &project.environment().name;
    action(&Place { project: project.name(), environment, root: project.root(), program: &program })
}

impl Outcome for ScheduleReport {
    fn exit(&self) -> Exit {
        match self {
            Self::Checked(check) => check.exit(),
            _ => Exit::Ok,
        }
    }

    fn next(&self) -> Vec<String> {
        match self {
            Self::Printed(_) => vec!["cargo xtask schedule install".to_owned()],
            Self::Installed(_) => vec!["cargo xtask schedule check".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for ScheduleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Printed(printed) => printed.fmt(f),
            Self::Installed(installed) => installed.fmt(f),
            Self::Removed(removed) => removed.fmt(f),
            Self::Ran(removed) => removed.fmt(f),
            Self::Checked(check) => check.fmt(f),
        }
    }
}
