//! Runs another tool, with the same guards as for native migrations.

use camino::Utf8PathBuf;

use super::ledger::Facts;
use super::place::Place;
use super::standing::{Migrations, Standing};
use crate::backup::safety::safety_backup;
use crate::exec::error::ExecError;
use crate::exit::Exit;
use crate::migrations::error::MigrationError;
use crate::migrations::plan::State;
use crate::migrations::status::{MigrationStatus, Report};
use crate::migrations::up::Wanted;
use crate::migrations::{guard, orphans};
use crate::postgres::database::Database;
use crate::project::Project;
use crate::project::error::{Error, Result};

/// The result of running a tool.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// The command that ran; `None` if there was nothing to do.
    pub(crate) command: Option<String>,
    /// Versions that are newly applied.
    pub(crate) applied: Vec<String>,
    /// Versions that are no longer applied.
    pub(crate) reverted: Vec<String>,
    pub(crate) backup: Option<Utf8PathBuf>,
}

/// Another way to apply pending migrations if the tool is not installed. Returns the command to report.
pub(crate) type Fallback<'a> = &'a dyn Fn() -> Result<Option<String>>;

impl Migrations {
    /// Applies pending migrations.
    pub(crate) fn up(&self, project: &Project, wanted: &Wanted, fallback: Fallback<'_>) -> Result<Ran> {
        if wanted.to.is_some() || wanted.steps.is_some() || wanted.any_order {
            return Err(self.only_native("--to, --steps and --out-of-order"));
        }
        let database = project.database()?;
        let _held = guard::lock(project, "db-migrate", wanted.patience)?;
        orphans::terminate_sessions(project, &database)?;
        let before = self.read(project, &database)?;
        self.check(project, &before.facts)?;
        self.refuse_edited(&before)?;
        if self.tool.status.is_empty() && before.is_current() && !self.has_repeatable() {
            return Ok(Ran::default());
        }
        let pending = before.versions(State::Pending);
        let items = if pending.is_empty() { vec![format!("what {} finds", self.tool.name)] } else { pending };
        // If the tool is missing, fail before asking for confirmation or making a backup.
        let place = self.place_or_start(project, &database)?;
        guard::agree(project, items)?;
        let backup = if before.facts.has_tables { safety_backup(project)? } else { None };
        let command = self.apply(project, &database, place.as_ref(), fallback)?;
        self.finish(project, &database, &before, Ran { command: Some(command), backup, ..Ran::default() }, true)
    }

    /// Applies all migrations to a new database. The caller handles locks, confirmation and backup.
    pub(crate) fn fill(&self, project: &Project, fallback: Fallback<'_>) -> Result<String> {
        let database = project.database()?;
        let place = self.place_or_start(project, &database)?;
        let command = self.apply(project, &database, place.as_ref(), fallback)?;
        self.must_be_current(project, &self.read(project, &database)?)?;
        Ok(command)
    }

    /// Reverts the newest migration, or several.
    pub(crate) fn down(&self, project: &Project, wanted: &Wanted) -> Result<Ran> {
        if self.tool.down.is_empty() {
            return Err(MigrationError::NoDownCommand { tool: self.tool.name }.into());
        }
        let database = project.database()?;
        let _held = guard::lock(project, "db-migrate", wanted.patience)?;
        orphans::terminate_sessions(project, &database)?;
        let before = self.read(project, &database)?;
        self.check(project, &before.facts)?;
        let mut applied = before.versions(State::Applied);
        applied.extend(before.versions(State::Edited));
        let count = match &wanted.to {
            Some(to) if to == "0" => applied.len(),
            Some(to) => applied.iter().rev().position(|version| version == to).ok_or_else(|| {
                Error::new(Exit::NotFound, format!("version {to} is not applied"))
                    .with_hint("`cargo xtask db-migrate status` lists what is; `--to 0` reverts everything")
            })?,
            None => wanted.steps.unwrap_or(1).min(applied.len()),
        };
        if count == 0 {
            return Ok(Ran::default());
        }
        let place = self.place(project, &database)?;
        let items = applied.iter().rev().take(count).map(|version| format!("what {version} made")).collect();
        project.consent(&project.destruction("db-migrate", items))?;
        let backup = safety_backup(project)?;
        let mut command = String::new();
        for _ in 0..count {
            command = self.run(project, &database, &place, self.tool.down)?;
        }
        self.finish(project, &database, &before, Ran { command: Some(command), backup, ..Ran::default() }, false)
    }

    /// The status of the migrations. The tool runs only if it alone knows the status and is installed.
    pub(crate) fn status(&self, project: &Project) -> Result<Report> {
        let database = project.database()?;
        let Standing { facts, all } = self.read(project, &database)?;
        if let Some(mark) = facts.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
            return Err(guard::other_environment(project, mark));
        }
        let mut obstacle = facts
            .others
            .first()
            .map(|(owner, table)| format!("another tool's ledger is there too: {table} of {owner}"));
        let mut lines = Vec::new();
        if let (false, Ok(place)) = (self.tool.status.is_empty(), self.place(project, &database)) {
            let (call, one_off) = self.call(project, &database, &place, self.tool.status)?;
            let ended = project.runner().lines(&call, |_, line| {
                lines.push(line.to_owned());
                Ok(())
            });
            if let (Err(_), Some(one_off)) = (&ended, one_off) {
                let _ = one_off.remove(&project.runner().aftermath());
            }
            match ended {
                Ok(()) => {}
                Err(ExecError::Exited { .. }) => {
                    obstacle = obstacle.or_else(|| Some(format!("{} reports pending migrations", self.tool.name)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let dir = self.dir.strip_prefix(project.root()).unwrap_or(&self.dir).to_owned();
        Ok(Report { tool: self.tool.name, dir, migrations: all, obstacle, lines })
    }

    /// The error for an operation that supports only sqlx's format.
    pub(crate) fn only_native(&self, what: &str) -> Error {
        let tool = self.tool.name;
        Error::new(Exit::Usage, format!("{what}: only for migrations in sqlx's format, and these are {tool}'s"))
            .with_hint(format!("run {tool} yourself, or omit them"))
    }

    /// Whether there are repeatable migrations, of which only Flyway knows whether they are pending.
    fn has_repeatable(&self) -> bool {
        let names = crate::migrations::file::files(&self.dir).unwrap_or_default();
        names.iter().any(|path| path.file_name().is_some_and(|name| name.starts_with("R__")))
    }

    /// Checks the database before the tool runs.
    fn check(&self, project: &Project, facts: &Facts) -> Result<()> {
        if let Some(mark) = facts.mark.as_ref().filter(|mark| mark.environment != project.environment().name) {
            return Err(guard::other_environment(project, mark));
        }
        match facts.others.first() {
            Some((owner, table)) => {
                Err(MigrationError::Owned { table: table.clone(), owner, ours: self.tool.name }.into())
            }
            None => Ok(()),
        }
    }

    /// An error if a file changed after it was applied.
    fn refuse_edited(&self, before: &Standing) -> Result<()> {
        match before.all.iter().find(|it| it.state == State::Edited) {
            Some(edited) => Err(MigrationError::EditedOther {
                tool: self.tool.name,
                path: edited.file.clone().unwrap_or_default(),
                repair: self.tool.own.repair,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// The tool's location. `None` if it is missing and a service applies pending migrations at startup.
    fn place_or_start(&self, project: &Project, database: &Database) -> Result<Option<Place>> {
        match self.place(project, database) {
            Ok(place) => Ok(Some(place)),
            Err(error)
                if project.config().migrations.at_start.is_some()
                    && matches!(error.downcast_ref(), Some(MigrationError::NotInstalled { .. })) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn apply(
        &self,
        project: &Project,
        database: &Database,
        place: Option<&Place>,
        fallback: Fallback<'_>,
    ) -> Result<String> {
        match place {
            Some(place) => self.run(project, database, place, self.tool.up),
            None => Ok(fallback()?.unwrap_or_default()),
        }
    }

    /// Runs the tool and returns its command for reports.
    fn run(&self, project: &Project, database: &Database, place: &Place, args: &[&str]) -> Result<String> {
        let (call, one_off) = self.call(project, database, place, args)?;
        let verb = args.iter().find(|arg| !arg.starts_with(['-', '{'])).copied().unwrap_or_default();
        let command = format!("{} {verb}", self.tool.name);
        project.step(format_args!("running {command}"));
        let orphan = if project.runner().is_dry_run() { None } else { Some(orphans::note(project)?) };
        let ended = project.runner().change(&call.relay(self.tool.name));
        if let (Err(_), Some(one_off)) = (&ended, one_off) {
            let _ = one_off.remove(&project.runner().aftermath());
        }
        if let Some(orphan) = orphan.filter(|_| ended.is_ok() || matches!(ended, Err(ExecError::Exited { .. }))) {
            orphan.forget();
        }
        ended?;
        Ok(command)
    }

    /// Reports what changed, according to the ledger. A successful tool may have used another database or older
    /// files.
    fn finish(
        &self,
        project: &Project,
        database: &Database,
        before: &Standing,
        mut ran: Ran,
        is_up: bool,
    ) -> Result<Ran> {
        if project.runner().is_dry_run() {
            return Ok(ran);
        }
        let after = self.read(project, database)?;
        if is_up {
            self.must_be_current(project, &after)?;
        }
        let changed = |from: &Standing, to: &Standing| -> Vec<String> {
            let had = from.in_ledger();
            to.in_ledger().into_iter().filter(|version| !had.contains(version)).collect()
        };
        (ran.applied, ran.reverted) = (changed(before, &after), changed(&after, before));
        ran.reverted.reverse();
        Ok(ran)
    }

    fn must_be_current(&self, project: &Project, after: &Standing) -> Result<()> {
        let pending = after.versions(State::Pending);
        if pending.is_empty() || project.runner().is_dry_run() {
            return Ok(());
        }
        let (tool, versions) = (self.tool.name, pending.join(", "));
        Err(MigrationError::StillPending { tool, versions, table: after.facts.table.clone() }.into())
    }
}

impl Standing {
    fn in_ledger(&self) -> Vec<String> {
        let all = self.all.iter().filter(|it| !matches!(it.state, State::Pending | State::Failed));
        all.map(|it: &MigrationStatus| it.version.clone()).collect()
    }

    /// Whether every file is applied and unchanged.
    fn is_current(&self) -> bool {
        self.facts.table.is_some() && self.all.iter().all(|it| it.state == State::Applied)
    }
}
