//! The database made anew: empty, migrated, seeded.
//!
//! It is made beside the old one and exchanged with it when it is whole, so that whatever fails leaves the old one as it
//! was. Only a tool of the project's own, which knows no other name, works after the exchange; if it fails, the old one is
//! put back.

use crate::backup::beside::Purpose;
use crate::error::{Error, Result};
use crate::exec::ExecError;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

use super::failure::Failure;
use super::layout::{Layout, Settled};
use super::own_tool::{self, OwnTool};
use super::spare::Spare;
use super::up::{self, Applied, Wanted};
use super::{MigrationError, Version, delegate, init_scripts, seeds};

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Reset {
    /// Init scripts that ran, by name.
    pub(crate) init: Vec<String>,
    /// Versions that were applied, or noted as made by them.
    pub(crate) migrated: Vec<Version>,
    /// Seeds that ran.
    pub(crate) seeded: Vec<String>,
    /// Commands of the project's own that ran.
    pub(crate) delegated: Vec<String>,
}

/// Does it. Consent, locks and the backup are the caller's to have.
pub(crate) fn reset(project: &Project, live: &Database) -> Result<Reset> {
    let own = own_tool::of(project);
    let mut done = Reset::default();
    project.step("making a new database beside the old one");
    let spare = Spare::create(project, live, Purpose::New)?;
    if own.is_some() {
        // The tool finds what it would find on an empty volume.
        run_inits(project, live, &spare.database, &mut done)?;
    } else {
        fill(project, live, &spare.database, &mut done)?;
        let due = seeds::due(project, &spare.database)?;
        done.seeded = seeds::sow(project, &spare.database, &due)?;
    }
    project.step("putting it in the old one's place");
    let before = spare.exchange()?;
    match with_own_tools(project, live, own.as_ref(), &mut done) {
        Ok(()) => before.discard(),
        Err(error) => {
            project.note("putting the old database back");
            before.put_back()?;
            return Err(error);
        }
    }
    Ok(done)
}

/// The schema: from the migrations, and from the init scripts where those say something else.
fn fill(project: &Project, live: &Database, spare: &Database, done: &mut Reset) -> Result<()> {
    // A project may have none at all; a folder that is stated and missing is found when it is read.
    let layout = Layout::find(project).ok().map(|layout| layout.settle(project, live)).transpose()?;
    let files = layout.as_ref().map_or(&[][..], |settled| &settled.files);
    let covered = !files.is_empty() && init_scripts::made_these(project, live, files).is_ok();
    if !covered {
        run_inits(project, live, spare, done)?;
    }
    if let Some(Settled { layout, .. }) = &layout {
        let mut applied = Applied::default();
        up::apply(project, spare, &*layout.tool, files, &Wanted::default(), &mut applied, None)?;
        done.migrated.append(&mut applied.noted);
        done.migrated.append(&mut applied.versions);
    }
    Ok(())
}

fn run_inits(project: &Project, live: &Database, spare: &Database, done: &mut Reset) -> Result<()> {
    for script in init_scripts::sql_files(project, live)? {
        run_init(project, spare, &script)?;
        done.init.extend(script.file_name().map(str::to_owned));
    }
    Ok(())
}

/// As the image runs it: psql reads the file, meta-commands and all.
pub(super) fn run_init(project: &Project, spare: &Database, script: &camino::Utf8Path) -> Result<()> {
    project.step(format_args!("running {}", script.strip_prefix(project.root()).unwrap_or(script)));
    let text = std::fs::read(script).map_err(Error::file("read", script))?;
    let call = spare.psql(project)?.args(["-v", "VERBOSITY=verbose", "-o", "/dev/null", "-f", "-"]).stdin(text);
    match project.runner().change(&call) {
        Ok(_) => Ok(()),
        Err(ExecError::Exited { code: 3, tail, .. }) => {
            let Failure { message, sqlstate, .. } = Failure::read(&tail);
            Err(MigrationError::Failed { path: script.to_owned(), line: None, message, sqlstate }.into())
        }
        Err(error) => Err(PostgresError::from_exec(error).into()),
    }
}

/// What the project's own commands do, on the database that now bears the name.
fn with_own_tools(project: &Project, live: &Database, own: Option<&OwnTool>, done: &mut Reset) -> Result<()> {
    if let Some(own) = own {
        delegate::run(project, own.service.as_deref(), &own.up, "migrate")?;
        done.delegated.push(own.up.join(" "));
        let due = seeds::due(project, live)?;
        done.seeded = seeds::sow(project, live, &due)?;
    }
    let seeds = &project.manifest().migrations.seeds;
    if delegate::run(project, seeds.service.as_deref(), &seeds.command, "seed")? {
        done.delegated.push(seeds.command.join(" "));
    }
    Ok(())
}
