//! `db-shell`

use std::fmt;

use serde::Serialize;

use crate::exec::at_terminal;
use crate::exit::Exit;
use crate::postgres::{Database, Place};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};

/// Open psql on the project's database, or run SQL.
///
/// Without a terminal, SQL is read from stdin, the first error ends it with exit code 1, and no `.psqlrc` is read.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbShell {
    /// Run this SQL instead; can be repeated.
    #[cfg_attr(feature = "cli", arg(short, long, value_name = "SQL"))]
    pub command: Vec<String>,
    /// Arguments for psql, after `--`.
    #[cfg_attr(feature = "cli", arg(trailing_var_arg = true, value_name = "ARGS"))]
    pub args: Vec<String>,
}

/// The result of `db-shell`: how psql ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DbShellReport {
    /// psql's exit code, or 128 plus the number of the signal that ended it.
    pub exit_code: u8,
}

impl Operation for DbShell {
    const NAME: &'static str = "db-shell";
    const GROUP: Group = Group::Database;
    const JOURNAL: bool = false;
    const INTERACTIVE: bool = true;
    type Outcome = DbShellReport;

    fn run(&self, project: &Project) -> Result<DbShellReport> {
        let Self { command, args } = self;
        let terminal = command.is_empty() && at_terminal();
        let database = project.database()?;
        if matches!(database.place, Place::Local(_)) && project.local_status().is_some_and(|it| it.pid.is_none()) {
            return Err(Error::new(Exit::Unavailable, "the local database is not running")
                .with_hint("`cargo xtask start` starts it"));
        }
        let mut call = database.tool(project, "psql", terminal)?;
        let client = if terminal { database.tool(project, "psql", false)? } else { call.clone() };
        if !terminal {
            call = call.args(["-X", "-w", "-v", "ON_ERROR_STOP=1"]);
        }
        for sql in command {
            call = call.args(["-c", sql]);
        }
        if !command.is_empty() {
            // `while read line; do cargo xtask db-shell -c …; done` must not lose its lines to us.
            call = call.stdin("");
        }
        let ended = project.runner().interactive(&call.args(args));
        // Beyond psql's own codes, it was ended by a signal or another process.
        if !matches!(ended, Ok(0..=3)) {
            Database::terminate_sessions(project, client);
        }
        // Its code is the same for no answer and for a refusal.
        if matches!(ended, Ok(2))
            && let Err(error) = database.login(project)
            && error.exit() != Exit::Unavailable
        {
            return Err(error);
        }
        Ok(DbShellReport { exit_code: u8::try_from(ended?).unwrap_or(1) })
    }
}

impl Outcome for DbShellReport {
    fn exit(&self) -> Exit {
        match self.exit_code {
            0 => Exit::Ok,
            // psql's own code for a connection that could not be made, or was lost.
            2 => Exit::Unavailable,
            code @ 129.. => Exit::Signal(code - 128),
            _ => Exit::Failed,
        }
    }
}

impl fmt::Display for DbShellReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // psql has spoken for itself.
        Ok(())
    }
}
