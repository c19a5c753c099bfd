//! Applying what is pending.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation};
use crate::manifest::Order;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

use super::file::{self, Migration};
use super::ledger::Ledger;
use super::script::{self, Mode};
use super::{MigrationError, baseline, lexer, plan};

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Versions that were noted as made by the init scripts.
    pub(crate) noted: Vec<i64>,
    /// Versions that were applied.
    pub(crate) applied: Vec<i64>,
}

impl Applied {
    /// A line for each kind of thing that was done.
    pub(crate) fn words(&self) -> Vec<String> {
        let list = |versions: &[i64]| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let noted =
            (!self.noted.is_empty()).then(|| format!("noted as made by the init scripts: {}", list(&self.noted)));
        let applied = (!self.applied.is_empty()).then(|| format!("applied the migrations {}", list(&self.applied)));
        noted.into_iter().chain(applied).collect()
    }
}

/// How long another migrator is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Applies the pending migrations of the folder that `infra.toml` states, or lets the project's own tool do it. `None`:
/// nothing is stated.
pub(crate) fn bring_up(project: &Project) -> Result<Option<Applied>> {
    let settings = &project.manifest().migrations;
    if !settings.up.is_empty() {
        return delegate(project);
    }
    let Some(dir) = &settings.dir else { return Ok(None) };
    let files = file::read(&project.root().join(dir))?;
    files.iter().try_for_each(refuse_transaction_control)?;
    let database = project.database()?;
    let until = Instant::now() + PATIENCE;
    let mut done = Applied::default();
    loop {
        let ledger = Ledger::read(project, &database)?;
        if let (Some(table), false) = (&ledger.other, ledger.exists) {
            return Err(MigrationError::Owned { table: table.clone() }.into());
        }
        let known: Vec<i64> = ledger.rows.iter().map(|row| row.version).collect();
        let attempt = if !ledger.exists && ledger.has_tables {
            let made = baseline::made_by_init_scripts(project, &database, &files)?;
            session(project, &database, &known, &made, Mode::Note).inspect(|versions| done.noted.extend(versions))
        } else {
            let pending = plan::pending(&files, &ledger, settings.order == Order::Linear)?;
            if pending.is_empty() {
                return Ok(Some(done));
            }
            project.step(format_args!("applying {} migrations", pending.len()));
            session(project, &database, &known, &pending, Mode::Apply).inspect(|versions| done.applied.extend(versions))
        };
        match attempt {
            Ok(versions) if versions.is_empty() => return Ok(Some(done)), // a dry run
            Ok(_) => {}
            Err(Error::Migration(MigrationError::Busy)) if Instant::now() < until => {
                project.waiting("waiting for another migrator");
                project.cancel().sleep(Duration::from_millis(500))?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A file that would commit half of itself is refused before any is applied.
fn refuse_transaction_control(file: &Migration) -> Result<()> {
    match lexer::transaction_control(file.statements()) {
        Some(found) if !file.no_transaction() => {
            let (path, line, statement) = (file.path.clone(), found.line, found.first);
            Err(MigrationError::Transaction { path, line, statement }.into())
        }
        _ => Ok(()),
    }
}

/// One psql session; returns the versions that were committed.
fn session(
    project: &Project,
    database: &Database,
    known: &[i64],
    migrations: &[&Migration],
    mode: Mode,
) -> Result<Vec<i64>> {
    let nonce = crate::dotenv::Generator::default().generate().map_err(crate::dotenv::FillError::from)?;
    let nonce: String = nonce.expose().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let text = script::write(&database.name, known, migrations, mode, &nonce);
    let call: Invocation = database.psql(project)?.args(["-A", "-t", "-f", "-"]).stdin(text);
    let said = match project.runner().change(&call) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(output)) => output.text(),
        Err(error @ ExecError::Exited { code: 3, .. }) => return Err(failure(project, database, migrations, &error)),
        Err(error) => return Err(PostgresError::from_exec(error).into()),
    };
    let heard: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix(&nonce)).map(str::trim).collect();
    if heard.contains(&script::BUSY) {
        return Err(MigrationError::Busy.into());
    }
    let versions: Vec<i64> =
        heard.iter().filter_map(|word| word.strip_prefix(script::APPLIED)?.trim().parse().ok()).collect();
    match migrations.iter().find(|migration| !versions.contains(&migration.version)) {
        Some(migration) => Err(MigrationError::Lost { path: migration.path.clone() }.into()),
        None => Ok(versions),
    }
}

/// The server refused something: the ledger says which file it was, and what was committed before.
fn failure(project: &Project, database: &Database, migrations: &[&Migration], error: &ExecError) -> Error {
    let rows = Ledger::read(project, database).map(|ledger| ledger.rows).unwrap_or_default();
    let committed = |migration: &Migration| rows.iter().any(|row| row.version == migration.version && row.success);
    let path: Utf8PathBuf = migrations
        .iter()
        .find(|migration| !committed(migration))
        .map(|migration| migration.path.clone())
        .unwrap_or_default();
    let lines: Vec<&str> =
        error.tail().lines().map(|line| line.split_once(": ").map_or(line, |(_, rest)| rest)).collect();
    MigrationError::Failed { path, message: lines.join("\n  ") }.into()
}

/// The project's own tool, in the service that has it or on this machine.
fn delegate(project: &Project) -> Result<Option<Applied>> {
    let settings = &project.manifest().migrations;
    let call = match &settings.service {
        Some(_) if !project.has_services() => return Ok(None),
        Some(service) => {
            project.running(service)?;
            project.compose().call(["exec", "-T"]).arg(service).args(&settings.up)
        }
        None => Invocation::new(settings.up[0].clone()).args(&settings.up[1..]).dir(project.root()),
    };
    project.step(format_args!("migrating with `{}`", settings.up.join(" ")));
    project.runner().change(&call.relay("migrate"))?;
    Ok(Some(Applied::default()))
}
