//! Roles and their grants, which belong to the cluster and are not in a dump.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use crate::exec::ExecError;
use crate::postgres::{PostgresError, Toolbox};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::draft::Draft;
use super::folder::sync_file;
use super::manifest::{DatabaseFacts, FileDigest};
use super::{BackupError, digest};

const STALL: Duration = Duration::from_secs(60);

/// Writes the roles without their passwords, and the database's own properties, into an additional file. An inner
/// `Err` contains the reason if the role may not read them.
pub(crate) fn write(
    project: &Project,
    toolbox: &Toolbox<'_>,
    draft: &mut Draft<'_>,
    facts: &DatabaseFacts,
) -> Result<std::result::Result<FileDigest, String>> {
    let (file, part, name) = draft.globals()?;
    let failed = |error| Error::file("write", part.clone())(error);
    let mut full = None;
    let ended = toolbox.print(
        Some(STALL),
        |toolbox, out| {
            let mut args = vec!["--globals-only", "--no-role-passwords", "--no-password"];
            let file = format!("--file={out}");
            // It writes to stdout by default; `-` would be a file name. And a pipe cannot be synced.
            if out != "-" {
                args.extend(["--no-sync", &file]);
            }
            toolbox.online("pg_dumpall", args)
        },
        |chunk| (&file).write_all(chunk).inspect_err(|error| full = Some(error.kind())),
    )?;
    if let Some(kind) = full {
        return Err(failed(kind.into()));
    }
    match ended {
        Ok(()) => {}
        Err(error @ ExecError::Cancelled { .. }) => return Err(error.into()),
        Err(error) => {
            let last = error.tail().lines().next_back().unwrap_or("they cannot be read").to_owned();
            return match BackupError::from_exec("pg_dumpall", draft.folder().path(), error) {
                BackupError::Forbidden { .. }
                | BackupError::Postgres(PostgresError::Failed(ExecError::Exited { .. })) => Ok(Err(last)),
                // A lost server is a failure, not a reason to omit the roles.
                error => Err(error.into()),
            };
        }
    }
    write_properties(&file, facts).and_then(|()| sync_file(&file)).map_err(failed)?;
    let (bytes, sha256) = digest::of_file(&file, project.cancel(), |_| {}).map_err(failed)?;
    Ok(Ok(FileDigest { file: name, bytes, sha256 }))
}

fn write_properties(mut file: &File, facts: &DatabaseFacts) -> std::io::Result<()> {
    let name = facts.name.replace('\\', "\\\\").replace('\'', "\\'").replace(['\n', '\r'], " ");
    let mut text =
        format!("\n--\n-- The database itself: psql reads this with -v db=NAME\n--\n\n-- it was called '{name}'\n");
    for property in &facts.attributes {
        text += &property.sql(":\"db\"");
    }
    file.write_all(text.as_bytes())
}
