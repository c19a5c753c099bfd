//! `setup`

mod axes;
mod env_files;
mod folders;
mod images;
mod name;
mod ports;
mod private;
mod schema;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::checks::{self, install};
use crate::config::ServicesAxis;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::ops::{Start, StartReport};
use crate::postgres::PostgresError;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};
use crate::report::{millis, seconds};

/// Set up a fresh checkout: env files, images, database, stack.
///
/// Every step first checks whether there is anything to do, so it can be repeated at any time: a second run changes
/// nothing and takes seconds. If no engine answers, the database becomes a local PostgreSQL cluster and no services
/// run; that choice is recorded, and only this command makes it.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Setup {
    /// Do not start anything.
    #[cfg_attr(feature = "cli", arg(long))]
    pub no_start: bool,
    /// Offer to install missing programs, showing the exact commands first.
    #[cfg_attr(feature = "cli", arg(long))]
    pub install: bool,
    /// How services run [default: by Compose, if an engine answers].
    #[cfg_attr(feature = "cli", arg(long, value_enum))]
    pub services: Option<ServicesAxis>,
    /// Where the database runs [default: a service of the stack; without services, a local cluster].
    #[cfg_attr(feature = "cli", arg(long, value_enum))]
    pub database: Option<DatabaseAxis>,
}

/// What was set up.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SetupReport {
    /// Whether services run under Docker Compose or not at all.
    pub services: ServicesAxis,
    /// Where the database is.
    pub database: DatabaseAxis,
    /// What was changed, a line each; empty when everything was in place.
    pub changes: Vec<String>,
    /// The migrations that are not applied yet, by version.
    pub pending_migrations: Vec<String>,
    /// How the start went, unless it was left out.
    pub start: Option<StartReport>,
    /// How to reach a local database, without the password.
    pub database_url: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Operation for Setup {
    const NAME: &'static str = "setup";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = SetupReport;

    fn run(&self, project: &Project) -> Result<SetupReport> {
        let began = Instant::now();
        let _lock = project.lock(Lock::Setup, Mode::Exclusive, Self::NAME)?;

        project.step("checking this machine");
        let mut changes =
            if self.install { install::offer(project, self.services, self.database)? } else { Vec::new() };
        if project.runner().is_dry_run() && !changes.is_empty() {
            project.note("the next steps depend on what is installed; the dry run ends here");
            return Ok(SetupReport::new(&axes::Axes::expected(project, self), project, changes, None, began));
        }
        let axes = axes::choose(project, self)?;
        changes.extend(env_files::make(project)?);
        if project.runner().is_dry_run() && !changes.is_empty() {
            project.note("the next steps depend on the env file; the dry run ends here");
            return Ok(SetupReport::new(&axes, project, changes, None, began));
        }

        // Each of these decides what the compose files say from here on, so the project is opened anew after it.
        let project = &project.reopen(project.record().cloned())?;
        changes.extend(private::make(project));
        let mut project = project.reopen(axes.record(project)?)?;
        if let Some(record) = name::free(&project)? {
            project = project.reopen(record)?;
            let change = format!(
                "named this checkout's compose project `{}`: the default name belongs to another folder",
                project.name()
            );
            changes.push(made(&project, change));
        }
        if project.has_services() {
            let moved = ports::free(&project)?;
            if !moved.is_empty() {
                changes.extend(moved);
                if project.runner().is_dry_run() {
                    project.note("the next steps depend on free ports; the dry run ends here");
                    return Ok(SetupReport::new(&axes, &project, changes, None, began));
                }
                project = project.reopen(project.record().cloned())?;
            }
        }
        checks::require(&project, &checks::preflight(&project))?;
        changes.extend(folders::make(&project)?);
        if project.save_record()? {
            changes.push(axes.to_string());
        }
        if project.has_services() {
            images::get(&project)?;
        }
        let start = if self.no_start { None } else { Some(project.nested(&Start::default())?) };
        // A dry run has started nothing that could be asked.
        if start.as_ref().is_some_and(|start| start.exit() == Exit::Ok) && !project.runner().is_dry_run() {
            mark(&project);
            changes.extend(schema::bring_up(&project)?);
            let pending = schema::pending(&project);
            let report = SetupReport::new(&axes, &project, changes, start, began);
            return Ok(SetupReport { pending_migrations: pending, ..report });
        }
        Ok(SetupReport::new(&axes, &project, changes, start, began))
    }
}

/// Reports a change when it was made, so that it is known even if a later step fails. A dry run has shown it already.
fn made(project: &Project, change: String) -> String {
    if !project.runner().is_dry_run() {
        project.step(&change);
    }
    change
}

/// Marks the database as this environment's, so that it is not mistaken for another one. A stack without a database has
/// nothing to mark, and a role that cannot comment on it does not fail the setup.
fn mark(project: &Project) {
    match project.database().and_then(|database| database.write_mark(project)) {
        Ok(()) => {}
        Err(error)
            if matches!(error.downcast_ref(), Some(PostgresError::NotFound | PostgresError::Ambiguous { .. })) => {}
        Err(error) => project.warn(format_args!("the database was not marked as this environment's: {error}")),
    }
}

impl SetupReport {
    fn new(
        axes: &axes::Axes,
        project: &Project,
        changes: Vec<String>,
        start: Option<StartReport>,
        began: Instant,
    ) -> Self {
        Self {
            services: axes.services,
            database: axes.database,
            changes,
            pending_migrations: Vec::new(),
            start,
            database_url: project.local_database_url(),
            duration_ms: millis(began.elapsed()),
        }
    }
}

impl Outcome for SetupReport {
    fn exit(&self) -> Exit {
        self.start.as_ref().map_or(Exit::Ok, Outcome::exit)
    }

    fn next(&self) -> Vec<String> {
        match (&self.start, self.exit()) {
            (None, _) => vec!["cargo xtask start".to_owned()],
            (Some(_), Exit::Ok) => {
                let migrate = (!self.pending_migrations.is_empty()).then_some("db-migrate");
                let usual = ["health", "db-shell", "logs -f", "help"];
                migrate.into_iter().chain(usual).map(|command| format!("cargo xtask {command}")).collect()
            }
            (Some(start), _) => start.next(),
        }
    }
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        if !self.pending_migrations.is_empty() {
            let list = self.pending_migrations.join(", ");
            writeln!(f, "  pending migrations: {list}; `cargo xtask db-migrate` applies them")?;
        }
        // The start names it among its addresses.
        if let (Some(url), None) = (&self.database_url, &self.start) {
            writeln!(f, "  database: {url}")?;
        }
        match &self.start {
            Some(start) => start.fmt(f),
            None => write!(f, "set up in {}, not started", seconds(Duration::from_millis(self.duration_ms))),
        }
    }
}
