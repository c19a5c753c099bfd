//! `db-restore`

mod clients;
mod guard;
mod in_place;
mod past;
mod source;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::backup::beside::{self, Purpose, Unfinished};
use crate::backup::drill::jobs;
use crate::backup::facts::Facts;
use crate::backup::make::millis;
use crate::backup::{leftovers, preflight, swap};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::operation::{Group, Operation, Outcome};
use crate::postgres::{Database, Toolbox};
use crate::project::Project;
use crate::report::seconds;

use source::Source;

/// Restore a backup, and keep the database that it replaces.
///
/// The backup is verified and restored into a database beside the live one, which serves unchanged meanwhile. Only when
/// everything in it was compared do the two change places, in one transaction. The old one is kept until `--finish`;
/// `--undo` goes back to it.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbRestore {
    /// `latest`, a name, an id, or a file: ours, or one of `pg_dump`'s.
    #[cfg_attr(feature = "cli", arg(value_name = "BACKUP", required_unless_present_any = ["undo", "finish"]))]
    pub backup: Option<String>,
    /// Restore into a new database of this name, and leave it there.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub into: Option<String>,
    /// How many tables are restored at once; default: as many as there are cores, at most 4.
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256)))]
    pub jobs: Option<u32>,
    /// Create the roles that the backup needs and the server lacks, without rights and passwords.
    #[cfg_attr(feature = "cli", arg(long))]
    pub create_roles: bool,
    /// Take a backup of another project or database.
    #[cfg_attr(feature = "cli", arg(long))]
    pub allow_foreign: bool,
    /// Take a file that no manifest vouches for. What is in it runs with the rights of the role that restores.
    #[cfg_attr(feature = "cli", arg(long))]
    pub unverified: bool,
    /// Go back to the database that served before the last restore.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with_all = ["backup", "into", "finish"]))]
    pub undo: bool,
    /// Drop the databases that served before restores.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with_all = ["backup", "into"]))]
    pub finish: bool,
}

/// What a restore did.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The database that now holds the backup.
    pub database: String,
    /// The backup.
    pub backup: Option<String>,
    /// What the database that served before is called now.
    pub old: Option<String>,
    /// Databases that were dropped.
    pub dropped: Vec<String>,
    /// The safety backup, where the database was restored in its place.
    pub safety_backup: Option<String>,
    /// How many tables there are.
    pub tables: usize,
    /// How many rows.
    pub rows: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The services that were restarted since they use the database.
    pub restarted: Vec<String>,
    /// Those that did not become ready afterwards, each with what is wrong.
    pub not_ready: Vec<String>,
}

impl Operation for DbRestore {
    const NAME: &'static str = "db-restore";
    const GROUP: Group = Group::Database;
    type Outcome = RestoreReport;

    fn run(&self, project: &Project) -> Result<RestoreReport> {
        let began = Instant::now();
        let _alone = project.lock(Lock::Database, Mode::Exclusive, Self::NAME)?;
        let live = project.database()?;
        let mut report = if self.undo {
            past::undo(project, &live)?
        } else if self.finish {
            past::finish(project, &live)?
        } else {
            self.restore(project, &live)?
        };
        report.duration_ms = millis(began.elapsed());
        Ok(report)
    }
}

impl DbRestore {
    fn restore(&self, project: &Project, live: &Database) -> Result<RestoreReport> {
        let source = Source::open(project, self)?;
        guard::same_project(project, live, source.manifest(), self.allow_foreign || self.into.is_some())?;
        let from = guard::maintenance(project, live)?;
        leftovers::heal(project, &from, live)?;
        let server = Facts::ask(project, &from)?;
        let exists = guard::size(project, &from, &live.name)?;
        match &self.into {
            Some(name) => guard::free_name(project, &from, name)?,
            None => guard::ask(project, live, &source, exists)?,
        }
        source.verify(project)?;
        self.roles(project, &from, &source)?;
        preflight::check(project, &from, &server, source.manifest(), true)?;
        guard::room(project, source.manifest())?;
        if self.into.is_none() && exists.is_some() && !guard::may_exchange(project, live)? {
            return in_place::run(project, live, &source);
        }

        let new = self.into.clone().map_or_else(|| Purpose::New.name(&live.name), Ok)?;
        project.step(format_args!("restoring {} into {new}", source.file()));
        if project.runner().is_dry_run() {
            project.runner().apply(format_args!("restore {} into {new}", source.file()), || Ok::<_, Error>(()))?;
            return Ok(RestoreReport { database: live.name.clone(), ..Default::default() });
        }
        let facts = source.manifest().database.as_ref();
        let unfinished = Unfinished::new(project, &from, &new)?;
        let created = beside::create(project, &from, &live.name, &new, Purpose::New, facts, server.major());
        let filled = created.and_then(|()| self.fill(project, live, &new, &source));
        if let Err(error) = filled {
            // Nobody but us knows it; what a crash leaves instead, the next run drops.
            unfinished.abandon(project);
            return Err(error);
        }
        let mut report = source.report(&live.name);
        let properties = facts.map(|facts| facts.properties.as_slice()).unwrap_or_default();
        project
            .cancel()
            .check()
            .map_err(Error::from)
            .and_then(|()| {
                if let Some(into) = &self.into {
                    report.database.clone_from(into);
                    return swap::install(project, &from, into, into, properties);
                }
                project.step(format_args!("exchanging {} and {new}", live.name));
                if exists.is_none() {
                    return swap::install(project, &from, &live.name, &new, properties);
                }
                // One that `setup` has just made has no settings and grants yet that anybody would miss.
                if guard::is_empty(project, live)? {
                    swap::adorn(project, &from, &new, properties)?;
                }
                let old = Purpose::Old.name(&live.name)?;
                report.old = Some(old.clone());
                swap::exchange(project, &from, &live.name, &new, &old)
            })
            .inspect_err(|_| unfinished.abandon(project))?;
        if self.into.is_none() {
            clients::restart(project, live, &mut report)?;
        }
        Ok(report)
    }

    fn fill(&self, project: &Project, live: &Database, new: &str, source: &Source) -> Result<()> {
        let target = Database { name: new.to_owned(), ..live.clone() };
        let toolbox = Toolbox::new(project, live, source.folder().path(), new.to_owned())?;
        source.filling(project, &toolbox, self.jobs.unwrap_or_else(jobs)).fill(&target)?;
        if self.into.is_none() {
            target.analyze(project);
        }
        Ok(())
    }

    /// Creates the roles that are missing, where that was asked for.
    fn roles(&self, project: &Project, from: &Database, source: &Source) -> Result<()> {
        let Some(facts) = source.manifest().database.as_ref().filter(|_| self.create_roles) else { return Ok(()) };
        for role in preflight::missing_roles(project, from, facts)? {
            project.note(format_args!(
                "creating the role {role}, which may do nothing yet; its grants are in {}",
                source.globals()
            ));
            let call = from.psql(project)?.args(["-v", &format!("role={role}"), "-f", "-"]);
            Database::execute(project, &call.stdin("CREATE ROLE :\"role\";\n"))?;
        }
        Ok(())
    }
}

impl Outcome for RestoreReport {
    fn exit(&self) -> Exit {
        if self.not_ready.is_empty() { Exit::Ok } else { Exit::Partial }
    }

    fn next(&self) -> Vec<String> {
        match &self.old {
            Some(_) => vec!["cargo xtask db-restore --undo".to_owned(), "cargo xtask db-restore --finish".to_owned()],
            None => Vec::new(),
        }
    }
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if let Some(backup) = &self.backup {
            let took = seconds(Duration::from_millis(self.duration_ms));
            let (database, tables, rows) = (&self.database, self.tables, self.rows);
            lines.push(format!("{database} holds {backup}: {tables} tables, {rows} rows, in {took}"));
        }
        if let Some(old) = &self.old {
            lines.push(format!("what served before is kept as {old}: `--undo` goes back to it, `--finish` drops it"));
        }
        if let Some(safety) = &self.safety_backup {
            lines.push(format!("it was restored in its place; what was there before is in {safety}"));
        }
        lines.extend(self.dropped.iter().map(|name| format!("dropped {name}")));
        if !self.restarted.is_empty() {
            lines.push(format!("restarted {}", self.restarted.join(", ")));
        }
        lines.extend(self.not_ready.iter().map(|what| format!("not ready: {what}")));
        if !self.not_ready.is_empty() {
            lines.push("see `cargo xtask health`; the database itself is restored".to_owned());
        }
        if lines.is_empty() {
            lines.push("there is nothing to do".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}
