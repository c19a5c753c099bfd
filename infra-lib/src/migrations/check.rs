//! Checks in scratch databases that reverting a migration undoes it, and that the init scripts agree with the
//! migrations.

use crate::backup::scratch_db::Purpose;
use crate::lock::{Lock, Mode};
use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::Result;

use super::file::Migration;
use super::layout::{Layout, Settled};
use super::schema::Schema;
use super::scratch_db::Spare;
use super::tools::sqlx::Sqlx;
use super::up::{self, Applied, Wanted};
use super::{MigrationError, Version, down, init_scripts, reset};

/// The results of the check.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Versions that were applied, and applied again after the revert.
    pub(crate) up: Vec<Version>,
    /// Versions that were reverted in between.
    pub(crate) down: Vec<Version>,
    /// Versions that cannot be reverted.
    pub(crate) one_way: Vec<Version>,
    /// Names of init scripts that agree with the migrations.
    pub(crate) init: Vec<String>,
}

/// Applies, reverts and reapplies all migrations and compares the schemas.
pub(crate) fn check(project: &Project) -> Result<Checked> {
    let layout = Layout::find(project, |_| "")?;
    let live = project.database()?;
    let Settled { layout, files, .. } = layout.settle(project, &live)?;
    let _shared = project.lock(Lock::Database, Mode::Shared, "db-migrate")?;
    if project.runner().is_dry_run() {
        project.runner().apply("migrate up, down and up in a scratch database", || -> Result<()> { Ok(()) })?;
        return Ok(Checked::default());
    }
    let trial = Trial { project, layout: &layout, files: &files };
    let mut checked = Checked { one_way: trial.one_way()?, ..Checked::default() };
    project.step("creating a scratch database");
    let spare = Spare::create(project, &live, Purpose::Drill)?;
    let database = &spare.database;
    let floor = checked.one_way.last();
    if let Some(floor) = floor {
        trial.up(database, Some(floor))?;
    }
    let before = trial.schema(database)?;
    checked.up = trial.up(database, None)?;
    let after = trial.schema(database)?;
    checked.down = trial.down(database, floor)?;
    let back = trial.schema(database)?;
    if let Some(difference) = before.difference(&back) {
        let between = match trial.culprit(&live)? {
            Some(version) => format!("before {version} and after it was reverted"),
            None => "before the migrations and after they were reverted".to_owned(),
        };
        return Err(MigrationError::Differs { between, difference }.into());
    }
    trial.up(database, None)?;
    if let Some(difference) = after.difference(&trial.schema(database)?) {
        let between = "after the migrations and after they were reverted and applied again".to_owned();
        return Err(MigrationError::Differs { between, difference }.into());
    }
    drop(spare);
    checked.init = trial.init(&live, &after)?;
    Ok(checked)
}

/// The migrations, run in scratch databases.
struct Trial<'a> {
    project: &'a Project,
    layout: &'a Layout,
    files: &'a [Migration],
}

impl Trial<'_> {
    fn one_way(&self) -> Result<Vec<Version>> {
        let mut found = Vec::new();
        for file in self.files {
            if Sqlx::down(file)?.is_none() {
                found.push(file.version.clone());
            }
        }
        Ok(found)
    }

    fn up(&self, database: &Database, to: Option<&Version>) -> Result<Vec<Version>> {
        let wanted = Wanted { to: to.map(ToString::to_string), ..Wanted::default() };
        let mut applied = Applied::default();
        up::apply(self.project, database, &self.layout.sqlx, self.files, &wanted, &mut applied, None)?;
        Ok(applied.versions)
    }

    /// Reverts all migrations later than `floor`.
    fn down(&self, database: &Database, floor: Option<&Version>) -> Result<Vec<Version>> {
        let to = Some(floor.map_or_else(|| "0".to_owned(), ToString::to_string));
        let mut reverted = Applied::default();
        let wanted = Wanted { to, ..Wanted::default() };
        down::revert(self.project, database, &self.layout.sqlx, self.files, &wanted, &mut reverted, false)?;
        Ok(reverted.versions)
    }

    fn schema(&self, database: &Database) -> Result<Schema> {
        Schema::read(self.project, database, self.layout.sqlx.table())
    }

    /// The first migration whose revert does not restore the schema. Call this only if one is known to exist.
    fn culprit(&self, live: &Database) -> Result<Option<Version>> {
        self.project.step("looking for the migration that is not reverted completely");
        let spare = Spare::create(self.project, live, Purpose::Drill)?;
        let mut before = self.schema(&spare.database)?;
        let mut floor = None;
        for file in self.files {
            let version = &file.version;
            self.up(&spare.database, Some(version))?;
            let after = self.schema(&spare.database)?;
            if Sqlx::down(file)?.is_some() {
                self.down(&spare.database, floor)?;
                if before.difference(&self.schema(&spare.database)?).is_some() {
                    return Ok(Some(version.clone()));
                }
                self.up(&spare.database, Some(version))?;
            }
            (before, floor) = (after, Some(version));
        }
        Ok(None)
    }

    /// Checks that a database created by the init scripts ends up with the same schema.
    fn init(&self, live: &Database, after: &Schema) -> Result<Vec<String>> {
        let scripts = init_scripts::sql_files(self.project, live)?;
        if scripts.is_empty() {
            return Ok(Vec::new());
        }
        let spare = Spare::create(self.project, live, Purpose::Drill)?;
        for script in &scripts {
            reset::run_init(self.project, &spare.database, script)?;
        }
        match self.up(&spare.database, None) {
            // It is unknown which migrations they replace, so they must replace all of them.
            Ok(_) => {}
            Err(error) if matches!(error.downcast_ref(), Some(MigrationError::NoLedger)) => {}
            Err(error) => return Err(error),
        }
        match after.difference(&self.schema(&spare.database)?) {
            Some(difference) => {
                let between = "after the migrations and after the init scripts".to_owned();
                Err(MigrationError::Differs { between, difference }.into())
            }
            None => Ok(scripts.iter().filter_map(|script| script.file_name().map(str::to_owned)).collect()),
        }
    }
}
