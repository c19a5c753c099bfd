//! One psql session that applies or reverts, and what became of it.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::exec::{ExecError, Stream};
use crate::nonce;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

use super::failure::Failure;
use super::heard::Heard;
use super::ledger::Ledger;
use super::script::{self, Frame, Job};
use super::tool::{Book, Tool};
use super::watch::Watch;
use super::{MigrationError, invalid, orphans};

/// How long a statement of a transaction waits for what somebody else has locked: everybody who comes later waits behind it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Digits of chance in the word that is ours alone.
pub(super) const NONCE: usize = 20;

/// On which database, in whose name, and how patiently.
pub(super) struct Session<'a> {
    pub(super) project: &'a Project,
    pub(super) database: &'a Database,
    pub(super) tool: &'a dyn Tool,
    pub(super) book: &'a dyn Book,
    /// How long to wait in all for other sessions.
    pub(super) patience: Duration,
}

/// How a session came out.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Every job is done.
    Done,
    /// A dry run has only shown it.
    Shown,
    /// The ledger has changed since it was read: read it again.
    Changed,
}

impl Session<'_> {
    /// Does the jobs in order, each wholly or not at all.
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
        let nonce = nonce::hex_digits(NONCE)?;
        let frame = Frame {
            tool: self.tool,
            book: self.book,
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
        // What may still be at work on the server is remembered for the next run.
        if !matches!(outcome, Err(Error::Migration(MigrationError::Lost { .. }))) {
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
                Database::reap(project, client);
                Err(error.into())
            }
            // Neither a refusal nor all that was asked: only the ledger knows how far it came.
            Ok(_) => self.settle(jobs, None),
            Err(error) if heard.begun.is_some() => self.settle(jobs, Some(error)),
            Err(error) => Err(PostgresError::from_exec(error).into()),
        }
    }

    /// The server refused something.
    fn failed(&self, current: Option<&Job<'_>>, at: Option<usize>, tail: &str, watch: &Watch<'_>) -> Error {
        let failure = Failure::read(tail);
        let Some(job) = current else { return failure.of_ledger(self.tool.table()) };
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

    /// The connection was lost. Once nothing of ours is left on the server, the ledger tells the truth.
    fn settle(&self, jobs: &[Job<'_>], error: Option<ExecError>) -> Result<Outcome> {
        let Self { project, database, tool, .. } = *self;
        project.note("the connection was lost; asking the database what it has");
        let until = Instant::now() + self.patience;
        let lost = |job: &Job<'_>| MigrationError::Lost { path: job.script().path.clone() };
        let ledger = loop {
            let gone = orphans::end_own(project, database)
                .and_then(|gone| gone.then(|| Ledger::read(project, database, tool, &[])).transpose());
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
        Job::Note(_) => project.step(format_args!("noting {name} as applied")),
    }
}
