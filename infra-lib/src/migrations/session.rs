//! The psql session that applies or reverts migrations, and its outcome.

use std::time::{Duration, Instant};

use crate::exec::{ExecError, Stream};
use crate::hex;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::failure::Failure;
use super::ledger::Ledger;
use super::script::{self, Frame, Job};
use super::session_protocol::Heard;
use super::tools::sqlx::Sqlx;
use super::watch::Watch;
use super::{MigrationError, invalid, orphans};

/// How long a statement inside a transaction waits for a lock. Kept short, since later sessions queue behind it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Number of random digits in the session's nonce.
pub(super) const NONCE: usize = 20;

/// The target database, the tool and the time limit of a session.
pub(super) struct Session<'a> {
    pub(super) project: &'a Project,
    pub(super) database: &'a Database,
    pub(super) sqlx: &'a Sqlx,
    /// The total time to wait for other sessions.
    pub(super) patience: Duration,
}

/// The outcome of a session.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Every job is done.
    Done,
    /// Dry run: the script was only shown.
    Shown,
    /// The ledger changed after it was read, so it must be read again.
    Changed,
}

impl Session<'_> {
    /// Runs the jobs in order; each succeeds completely or changes nothing.
    pub(super) fn run(&self, ledger: &Ledger, jobs: &[Job<'_>]) -> Result<Outcome> {
        let Self { project, database, .. } = *self;
        if project.runner().is_dry_run() {
            for job in jobs {
                let (Job::Up(_) | Job::Down(..)) = job else { continue };
                let script = job.script();
                let shown = script.path.strip_prefix(project.root()).unwrap_or(&script.path);
                let shown = format!("{shown}\n{}", script.statements().trim_end());
                project.runner().apply(shown, || -> Result<()> { Ok(()) })?;
            }
            return Ok(Outcome::Shown);
        }
        let nonce = hex::random_digits(NONCE)?;
        let frame = Frame {
            sqlx: self.sqlx,
            database: &database.name,
            exists: ledger.exists,
            fingerprint: &ledger.fingerprint,
            nonce: &nonce,
            lock_timeout: [LOCK_TIMEOUT.min(self.patience), self.patience],
        };
        let client = database.psql(project)?;
        let call = client.clone().args(["-A", "-t", "-f", "-"]).stdin(script::write(&frame, jobs));
        let mut heard = Heard::default();
        let orphan = orphans::note(project)?;
        let watch = Watch::new(project, database);
        let ended = watch.during(|| {
            project.runner().change_lines(&call, |stream, line| {
                if let (Stream::Stdout, Some(said)) = (stream, line.strip_prefix(&nonce)) {
                    heard.hear(said.trim(), |number: usize| tell(project, jobs.get(number)));
                }
                Ok(())
            })
        });
        let outcome = self.judge(jobs, heard, ended, client, &watch);
        // Keep the record if the session may still be active on the server, for the next run.
        if !outcome.as_ref().is_err_and(|error| matches!(error.downcast_ref(), Some(MigrationError::Lost { .. }))) {
            orphan.forget();
        }
        outcome
    }

    fn judge(
        &self,
        jobs: &[Job<'_>],
        heard: Heard,
        ended: Result<Option<()>, ExecError>,
        client: crate::exec::Invocation,
        watch: &Watch<'_>,
    ) -> Result<Outcome> {
        let Self { project, .. } = *self;
        let current = heard.begun.and_then(|number| jobs.get(number)).filter(|_| heard.done < jobs.len());
        match ended {
            Ok(_) if heard.changed => Ok(Outcome::Changed),
            Ok(_) if heard.ended => {
                let path = current.map(|job| job.script().path.clone()).unwrap_or_default();
                Err(MigrationError::EndedTransaction { path }.into())
            }
            Ok(_) if heard.busy.is_some() => {
                Err(MigrationError::Busy { holder: heard.busy.filter(|it| !it.is_empty()) }.into())
            }
            Ok(_) if heard.done == jobs.len() => Ok(Outcome::Done),
            Err(ExecError::Exited { code: 3, tail, .. }) => Err(self.failed(current, heard.at, &tail, watch)),
            Err(error @ ExecError::Cancelled { .. }) => {
                Database::terminate_sessions(project, client);
                Err(error.into())
            }
            // Neither an error nor all jobs done: only the ledger shows how far it got.
            Ok(_) => self.settle(jobs, None),
            Err(error) if heard.begun.is_some() => self.settle(jobs, Some(error)),
            Err(error) => Err(PostgresError::from_exec(error).into()),
        }
    }

    /// Builds the result after the server rejected a statement.
    fn failed(&self, current: Option<&Job<'_>>, at: Option<usize>, tail: &str, watch: &Watch<'_>) -> Error {
        let failure = Failure::read(tail);
        let Some(job) = current else { return failure.of_ledger(self.sqlx.table()) };
        let path = job.script().path.clone();
        if !job.in_transaction() {
            let invalid = invalid::indexes(self.project, self.database).unwrap_or_default();
            let (message, sqlstate) = (failure.message, failure.sqlstate);
            return MigrationError::HalfWay { path, message, sqlstate, invalid }.into();
        }
        if failure.is_lock_timeout() {
            return MigrationError::Blocked { path, holder: watch.blocker() }.into();
        }
        let line = at.map(|at| at + failure.line.unwrap_or(1) - 1).or(failure.line);
        MigrationError::Failed { path, line, message: failure.message, sqlstate: failure.sqlstate }.into()
    }

    /// Handles a lost connection. The ledger is reliable once no session of ours is left on the server.
    fn settle(&self, jobs: &[Job<'_>], error: Option<ExecError>) -> Result<Outcome> {
        let Self { project, database, sqlx, .. } = *self;
        project.note("the connection was lost; querying the state of the database");
        let until = Instant::now() + self.patience;
        let lost = |job: &Job<'_>| MigrationError::Lost { path: job.script().path.clone() };
        let ledger = loop {
            let gone = orphans::end_own(project, database)
                .and_then(|gone| gone.then(|| Ledger::read(project, database, sqlx)).transpose());
            match gone {
                Ok(Some(ledger)) => break ledger,
                _ if Instant::now() < until => project.cancel().sleep(Duration::from_millis(500))?,
                Err(error) => return Err(error),
                Ok(None) => {
                    let error = error.map(|error| Error::from(PostgresError::from_exec(error)));
                    return Err(error.unwrap_or_else(|| jobs.first().map_or(MigrationError::NoLedger, lost).into()));
                }
            }
        };
        let is_done = |job: &&Job<'_>| {
            let row = ledger.rows.get(&job.migration().version);
            let applied = row.is_some_and(|row| row.success);
            if matches!(job, Job::Down(..)) { row.is_none() } else { applied }
        };
        match jobs.iter().find(|job| !is_done(job)) {
            None => Ok(Outcome::Done),
            Some(job) => Err(lost(job).into()),
        }
    }
}

fn tell(project: &Project, job: Option<&Job<'_>>) {
    let Some(job) = job else { return };
    let name = job.script().path.file_name().unwrap_or_default();
    match job {
        Job::Up(_) => project.step(format_args!("applying {name}")),
        Job::Down(..) => project.step(format_args!("reverting with {name}")),
        Job::Note(_) => project.step(format_args!("marking {name} as applied")),
    }
}
