//! `db-restore`

pub(super) mod clients;
mod guard;
mod in_place;
mod source;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::backup::drill::jobs;
use crate::backup::facts::Facts;
use crate::backup::restricted_role::RestrictedRole;
use crate::backup::scratch_db::{self, Purpose};
use crate::backup::unfinished::Unfinished;
use crate::backup::{leftovers, preflight, swap, tools};
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::postgres::{Database, Toolbox};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{counted, millis, seconds};

use source::Source;

/// Restore a backup, and keep the previous database.
///
/// The backup is verified and restored into a staging copy while the live database keeps serving. Once all of it was
/// compared, the two are swapped in one transaction. The previous database is kept until `--drop-previous`;
/// `--rollback` swaps it back.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbRestore {
    /// `latest`, a name, an id, or a file (of `db-backup` or `pg_dump`).
    #[cfg_attr(feature = "cli", arg(value_name = "BACKUP", required_unless_present_any = ["rollback", "drop_previous"]))]
    pub backup: Option<String>,
    /// Restore into a new database with this name, and leave it there.
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME"))]
    pub into: Option<String>,
    /// Restore N tables in parallel [default: the number of cores, at most 4].
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256)))]
    pub jobs: Option<u32>,
    /// Create roles that the backup needs and the server lacks, without privileges or passwords.
    #[cfg_attr(feature = "cli", arg(long))]
    pub create_roles: bool,
    /// Accept a backup of another project or database.
    #[cfg_attr(feature = "cli", arg(long))]
    pub allow_foreign: bool,
    /// Accept a file without a manifest, if all of it can be decoded.
    #[cfg_attr(feature = "cli", arg(long))]
    pub unverified: bool,
}

/// What a restore did.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The database that now holds the backup.
    pub database: String,
    /// The file of the restored backup; `None` if none was restored, as in a dry run.
    pub backup: Option<String>,
    /// What the database that served before is called now.
    pub old: Option<String>,
    /// Databases that were dropped.
    pub dropped: Vec<String>,
    /// The safety backup, where the database was restored in its place.
    pub safety_backup: Option<String>,
    /// How many tables there are.
    pub tables: usize,
    /// How many rows they have, according to the backup.
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
        let mut report = self.restore(project, &live)?;
        report.duration_ms = millis(began.elapsed());
        Ok(report)
    }
}

impl DbRestore {
    fn restore(&self, project: &Project, live: &Database) -> Result<RestoreReport> {
        let source = Source::open(project, self)?;
        guard::same_project(project, live, source.config(), self.allow_foreign || self.into.is_some())?;
        let from = guard::maintenance(project, live)?;
        leftovers::recover(project, &from, live)?;
        let server = Facts::query(project, &from)?;
        let exists = guard::size(project, &from, &live.name)?;
        match &self.into {
            Some(name) => guard::free_name(project, &from, name)?,
            None => guard::confirm(project, live, &source, exists)?,
        }
        source.verify(project)?;
        self.roles(project, &from, &source)?;
        preflight::check(project, &from, &server, source.config(), true)?;
        let toolbox = Toolbox::new(project, live, source.folder().path(), "infra-verify".to_owned())?;
        tools::check_for_restore(&toolbox, &server, source.config().format)?;
        guard::room(project, source.config())?;
        if self.into.is_none() && exists.is_some() && !guard::may_exchange(project, live)? {
            return in_place::run(project, live, &source);
        }

        let new = self.into.clone().map_or_else(|| Purpose::New.name(&live.name), Ok)?;
        project.step(format_args!("restoring {} into {new}", source.file()));
        if project.runner().is_dry_run() {
            project.runner().apply(format_args!("restore {} into {new}", source.file()), || Ok::<_, Error>(()))?;
            return Ok(RestoreReport { database: live.name.clone(), ..Default::default() });
        }
        let facts = source.config().database.as_ref();
        let role = Self::restricted_role(project, &from, live, &source)?;
        let properties = source.properties(project, &from)?;
        let unfinished = match &role {
            Some(role) => Unfinished::with_role(project, &from, &new, role.name())?,
            None => Unfinished::new(project, &from, &new)?,
        };
        let created = scratch_db::create(project, &from, &live.name, &new, Purpose::New, facts, server.major());
        let filled = created.and_then(|()| self.fill(project, live, &new, &source, role.as_ref()));
        if let Err(error) = filled {
            // Only we know it; what a crash leaves behind, the next run drops.
            unfinished.abandon(project);
            return Err(error);
        }
        let mut report = source.report(&live.name);
        project
            .cancel()
            .check()
            .map_err(Error::from)
            .and_then(|()| {
                if let Some(into) = &self.into {
                    report.database.clone_from(into);
                    return swap::install(project, &from, into, into, &properties);
                }
                project.step(format_args!("swapping {} and {new}", live.name));
                if exists.is_none() {
                    return swap::install(project, &from, &live.name, &new, &properties);
                }
                // One that `setup` has just created has no settings and grants to keep.
                if guard::is_empty(project, live)? {
                    swap::apply_properties(project, &from, &new, &properties)?;
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

    /// Who restores what was received; nothing is made before it is known that such a role can be had.
    fn restricted_role(
        project: &Project,
        from: &Database,
        live: &Database,
        source: &Source,
    ) -> Result<Option<RestrictedRole>> {
        if !source.is_received() {
            return Ok(None);
        }
        let toolbox = Toolbox::new(project, live, source.folder().path(), "infra-verify".to_owned())?;
        let role = RestrictedRole::new(&live.name)?;
        source.filling(project, &toolbox, 1, Some(&role)).word()?;
        RestrictedRole::check(project, from)?;
        Ok(Some(role))
    }

    fn fill(
        &self,
        project: &Project,
        live: &Database,
        new: &str,
        source: &Source,
        role: Option<&RestrictedRole>,
    ) -> Result<()> {
        let target = Database { name: new.to_owned(), ..live.clone() };
        if role.is_none() {
            preflight::check_extensions(project, &target, source.config().database.as_ref())?;
        }
        let toolbox = Toolbox::new(project, live, source.folder().path(), new.to_owned())?;
        source.filling(project, &toolbox, self.jobs.unwrap_or_else(jobs), role).fill(&target)?;
        if self.into.is_none() {
            target.analyze(project);
        }
        Ok(())
    }

    /// Creates the roles that are missing, where that was asked for.
    fn roles(&self, project: &Project, from: &Database, source: &Source) -> Result<()> {
        let Some(facts) = source.config().database.as_ref().filter(|_| self.create_roles) else { return Ok(()) };
        for role in preflight::missing_roles(project, from, facts)? {
            project.note(format_args!(
                "creating the role {role} without privileges; its grants are in {}",
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
            Some(_) => vec![
                "cargo xtask db-restore --rollback".to_owned(),
                "cargo xtask db-restore --drop-previous".to_owned(),
            ],
            None => Vec::new(),
        }
    }
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if let Some(backup) = &self.backup {
            let took = seconds(Duration::from_millis(self.duration_ms));
            let (tables, rows) = (counted(self.tables, "table"), counted(self.rows, "row"));
            lines.push(format!("{} holds {backup}: {tables}, {rows}, in {took}", self.database));
        }
        if let Some(old) = &self.old {
            lines.push(format!(
                "the previous database is kept as {old}: `--rollback` swaps it back, `--drop-previous` drops it"
            ));
        }
        if let Some(safety) = &self.safety_backup {
            lines.push(format!("it was restored in place; the previous content is in {safety}"));
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
            lines.push("nothing to do".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}
