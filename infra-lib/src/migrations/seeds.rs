//! Development data: files that run once, when they change, or always.

use std::fmt::Write as _;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::config::SeedRun;
use crate::exec::{ExecError, Stream};
use crate::hex;
use crate::postgres::literal::literal;
use crate::postgres::{Database, PostgresError, catalog};
use crate::project::Project;
use crate::project::error::Result;

use super::MigrationError;
use super::failure::Failure;
use super::file::{self, Script};
use super::session_protocol::{Heard, word};
use super::{rules, script, session};

const NAME: &str = "_infra_seeds";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS _infra_seeds (path text PRIMARY KEY, sha256 text NOT NULL, \
                     run_on timestamptz NOT NULL DEFAULT now());";
/// How long a seed waits for another session's lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// A seed file that has to run.
#[derive(Debug)]
pub(crate) struct Seed {
    /// The file's name, which identifies the seed.
    pub(crate) name: String,
    script: Script,
    sha256: String,
    /// The checksum of its last run, if it ran before.
    known: Option<String>,
}

/// The seeds that have to run, sorted by name. Empty if no folder is configured.
pub(crate) fn due(project: &Project, database: &Database) -> Result<Vec<Seed>> {
    let seeds = &project.config().migrations.seeds;
    let Some(dir) = &seeds.dir else { return Ok(Vec::new()) };
    let known = known(project, database)?;
    let mut due = Vec::new();
    for path in file::files(&project.root().join(dir))?.into_iter().filter(|path| path.extension() == Some("sql")) {
        let script = Script::read(path)?;
        let sha256 = hex::sha256(&script.sql);
        let name = script.path.file_name().unwrap_or_default().to_owned();
        let before = known.iter().find(|(known, _)| *known == name).map(|(_, sha256)| sha256.clone());
        let is_due = match seeds.run {
            SeedRun::Once => before.is_none(),
            SeedRun::OnChange => before.as_ref() != Some(&sha256),
            SeedRun::Always => true,
        };
        if is_due {
            rules::check(&script)?;
            due.push(Seed { name, script, sha256, known: before });
        }
    }
    Ok(due)
}

/// Runs the seeds, each in a transaction together with its row. Returns the names of those that ran; seeds that
/// another process ran in the meantime are skipped.
pub(crate) fn apply_seeds(project: &Project, database: &Database, due: &[Seed]) -> Result<Vec<String>> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let nonce = hex::random_digits(session::NONCE)?;
    let call = database.psql(project)?.args(["-A", "-t", "-f", "-"]).stdin(write(due, &nonce));
    let mut heard = Heard::default();
    let mut sown = Vec::new();
    let ended = project.runner().change_lines(&call, |stream, line| {
        if let (Stream::Stdout, Some(said)) = (stream, line.strip_prefix(&nonce)) {
            let (done, skipped) = (heard.done, heard.skipped);
            heard.hear(said.trim(), |number| {
                project.step(format_args!("seeding {}", due.get(number).map_or("", |seed| seed.name.as_str())));
            });
            if heard.done > done && heard.skipped == skipped {
                sown.extend(due.get(heard.done - 1).map(|seed| seed.name.clone()));
            }
        }
        Ok(())
    });
    let path =
        || heard.begun.and_then(|number| due.get(number)).map_or_else(Utf8PathBuf::new, |it| it.script.path.clone());
    match ended {
        Ok(None) => Ok(due.iter().map(|seed| seed.name.clone()).collect()),
        Ok(Some(())) if heard.done == due.len() => Ok(sown),
        Ok(Some(())) => Err(MigrationError::Lost { path: path() }.into()),
        Err(ExecError::Exited { code: 3, tail, .. }) => {
            let Failure { message, sqlstate, line } = Failure::read(&tail);
            let line = heard.at.map(|at| at + line.unwrap_or(1) - 1).or(line);
            Err(MigrationError::Failed { path: path(), line, message, sqlstate }.into())
        }
        Err(error @ ExecError::Cancelled { .. }) => {
            Database::terminate_sessions(project, database.psql(project)?);
            Err(error.into())
        }
        Err(error) => Err(PostgresError::from_exec(error).into()),
    }
}

fn write(due: &[Seed], nonce: &str) -> String {
    let mut text = format!(
        "\\set QUIET on\n\\set VERBOSITY verbose\n\\encoding UTF8\nSET client_min_messages = warning;\n\
         SELECT {} IS NULL AS missing \\gset\n\\if :missing\n{TABLE}\n\\endif\n{} \\gset\n",
        catalog::oid_of(NAME),
        catalog::qualified(NAME, "seeds")
    );
    for (number, seed) in due.iter().enumerate() {
        let (name, sha256) = (literal(&seed.name), &seed.sha256);
        let known = seed.known.as_deref().unwrap_or_default();
        let fresh = script::fresh(LOCK_TIMEOUT);
        let _ = writeln!(
            text,
            "BEGIN\\; {fresh}\\; LOCK TABLE :seeds IN SHARE ROW EXCLUSIVE MODE;\n\
             SELECT coalesce((SELECT sha256 FROM :seeds WHERE path = {name}), '') = '{known}' AS same \\gset\n\
             \\if :same\n\\echo {nonce} {} {number}",
            word::BEGUN
        );
        script::execute(&mut text, nonce, &seed.script);
        let _ = writeln!(
            text,
            "RESET ROLE\\; INSERT INTO :seeds (path, sha256) VALUES ({name}, '{sha256}') \
             ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, run_on = now()\\; COMMIT;\n\
             \\echo {nonce} {} {number}\n\\else\nROLLBACK;\n\\echo {nonce} {} {number}\n\\endif",
            word::DONE,
            word::SKIPPED
        );
    }
    text
}

/// The recorded seeds, each with the checksum of its last run.
fn known(project: &Project, database: &Database) -> Result<Vec<(String, String)>> {
    let table = catalog::qualified(NAME, "name");
    let sql = format!("SELECT 'SELECT path, sha256 FROM ' || name FROM ({table}) AS t \\gexec\n");
    let text = database.query(project, &sql)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, sha256)| (path.to_owned(), sha256.to_owned()))
        .collect())
}
