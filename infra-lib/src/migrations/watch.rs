//! Reports which session a migration waits for.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::postgres::Database;
use crate::project::Project;

use super::script::SESSION;

/// Migrations faster than this are not watched.
const FIRST: Duration = Duration::from_secs(2);
const EACH: Duration = Duration::from_secs(2);

/// Looks from a separate session for sessions that block ours.
pub(super) struct Watch<'a> {
    project: &'a Project,
    database: &'a Database,
    last: Mutex<Option<String>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(project: &'a Project, database: &'a Database) -> Self {
        Self { project, database, last: Mutex::new(None) }
    }

    /// Watches while `work` runs.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let (done, wait) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut pause = FIRST;
                while wait.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    pause = EACH;
                    self.report();
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// The blocking session that was last seen.
    pub(super) fn blocker(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn report(&self) {
        let sql = format!(
            "SELECT DISTINCT {SESSION} FROM pg_stat_activity ours, unnest(pg_blocking_pids(ours.pid)) AS b(pid) \
             JOIN pg_stat_activity a ON a.pid = b.pid \
             WHERE ours.application_name = current_setting('application_name') AND ours.pid <> pg_backend_pid() LIMIT 3;"
        );
        let Ok(text) = self.database.query(self.project, &sql) else { return };
        let holders: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        if holders.is_empty() {
            return;
        }
        let holders = holders.join("; ");
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&holders) {
            self.project.note(format_args!("waiting for {holders}"));
            *last = Some(holders);
        }
    }
}
