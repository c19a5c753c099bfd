//! Data for development: files that run once, when they change, or always.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::exec::ExecError;
use crate::manifest::SeedRun;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

use super::MigrationError;
use super::failure::Failure;
use super::tool::literal;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _infra_seeds (path text PRIMARY KEY, sha256 text NOT NULL, \
                     run_on timestamptz NOT NULL DEFAULT now());";

/// Runs the seeds that are due, in the order of their names, each in a transaction together with its row. Returns their
/// names; `None`: none are stated. Never in a protected environment.
pub(crate) fn sow(project: &Project) -> Result<Option<Vec<String>>> {
    let seeds = &project.manifest().migrations.seeds;
    let Some(dir) = seeds.dir.as_ref().filter(|_| !project.environment().protected) else { return Ok(None) };
    let dir = project.root().join(dir);
    let mut files: Vec<_> = dir
        .read_dir_utf8()
        .map_err(Error::file("read", dir.clone()))?
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .filter(|path| path.extension() == Some("sql"))
        .collect();
    files.sort();
    let database = project.database()?;
    let known = known(project, &database)?;
    let mut sown = Vec::new();
    for path in files {
        let sql = std::fs::read_to_string(&path).map_err(Error::file("read", path.clone()))?;
        let name = path.file_name().unwrap_or_default().to_owned();
        let sha256 = Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let before = known.iter().find(|(known, _)| *known == name).map(|(_, sha256)| sha256);
        let is_due = match seeds.run {
            SeedRun::Once => before.is_none(),
            SeedRun::OnChange => before != Some(&sha256),
            SeedRun::Always => true,
        };
        if !is_due {
            continue;
        }
        project.step(format_args!("seeding {name}"));
        let tag = format!("s{}", &sha256[..16]);
        let (row, body) = (literal(&name), sql.trim_start_matches('\u{feff}'));
        let script = format!(
            "\\set VERBOSITY verbose\nSET client_min_messages = warning;\n{TABLE}\nBEGIN;\n\\o /dev/null\nSELECT ${tag}${body}${tag}$ \\gexec\n\\o\n\
             INSERT INTO _infra_seeds (path, sha256) VALUES ({row}, '{sha256}')\n\
             ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, run_on = now();\nCOMMIT;\n"
        );
        let call = database.psql(project)?.args(["-f", "-"]).stdin(script);
        match project.runner().change(&call) {
            Ok(_) => sown.push(name),
            Err(ExecError::Exited { code: 3, tail, .. }) => {
                let Failure { message, sqlstate, line } = Failure::read(&tail);
                return Err(MigrationError::Failed { path, line, message, sqlstate }.into());
            }
            Err(error) => return Err(PostgresError::from_exec(error).into()),
        }
    }
    Ok(Some(sown))
}

/// The seeds that have run, with what they said then.
fn known(project: &Project, database: &Database) -> Result<Vec<(String, String)>> {
    let sql = "SELECT CASE WHEN to_regclass('_infra_seeds') IS NULL THEN 'SELECT 1 WHERE false' \
               ELSE 'SELECT path, sha256 FROM _infra_seeds' END \\gexec\n";
    let text = database.query(project, sql)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, sha256)| (path.to_owned(), sha256.to_owned()))
        .collect())
}
