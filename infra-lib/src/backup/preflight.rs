//! Checks before a restore whether the server can hold a backup.

use crate::postgres::literal::identifier;
use crate::postgres::{Database, PostgresError, sqlstate};
use crate::project::Project;
use crate::project::error::Result;

use super::BackupError;
use super::facts::Facts;
use super::manifest::{BackupManifest, DatabaseFacts};
use super::scratch_db::PATIENT;
use super::tools::{are_too_new, major};

/// An error that lists everything the server lacks, with the SQL that adds it.
pub(crate) fn check(
    project: &Project,
    from: &Database,
    server: &Facts,
    manifest: &BackupManifest,
    with_owners: bool,
) -> Result<()> {
    let mut lacks = Vec::new();
    let mut remedy = Vec::new();
    let dumped = manifest.server.as_deref().and_then(major);
    if let Some(dumped) = dumped.filter(|dumped| *dumped > server.major()) {
        lacks.push(format!("the backup is of PostgreSQL {dumped}, and the server is {}", server.major()));
    }
    let written = manifest.client.as_deref().and_then(major);
    if let Some(tools) = written.filter(|tools| are_too_new(*tools, server.major())) {
        lacks.push(format!("the dump was written by pg_dump {tools}, and the server is {}", server.major()));
    }
    if let Some(facts) = &manifest.database {
        let there = query(project, from)?;
        for extension in missing(&facts.extensions, &there.extensions) {
            lacks.push(format!("the extension {extension} is not installed on the server"));
            remedy.push(format!("CREATE EXTENSION {};", identifier(extension)));
        }
        for tablespace in missing(&facts.tablespaces, &there.tablespaces) {
            lacks.push(format!("the tablespace {tablespace} does not exist"));
            remedy.push(format!("CREATE TABLESPACE {} LOCATION '…';", identifier(tablespace)));
        }
        if with_owners {
            for role in missing(&facts.roles, &there.roles) {
                lacks.push(format!("the role {role} does not exist"));
                remedy.push(format!("CREATE ROLE {};", identifier(role)));
            }
        }
        check_locale(facts, &there, &mut lacks);
    }
    if lacks.is_empty() { Ok(()) } else { Err(BackupError::Unfit { lacks, remedy }.into()) }
}

/// An error that lists the extensions that our role may not create, found by trying in the new, empty database.
pub(crate) fn check_extensions(project: &Project, target: &Database, facts: Option<&DatabaseFacts>) -> Result<()> {
    let mut lacks = Vec::new();
    for extension in facts.iter().flat_map(|facts| &facts.extensions) {
        let sql = format!("{PATIENT}BEGIN;\nCREATE EXTENSION {} CASCADE;\nROLLBACK;\n", identifier(extension));
        let call = target.psql(project)?.args(["-o", "/dev/null", "-v", "VERBOSITY=verbose", "-f", "-"]).stdin(sql);
        // Other errors are left to the restore: some extensions cannot be created in a transaction.
        if let Err(error) = project.runner().change(&call)
            && sqlstate::of_text(error.tail()).is_some_and(|(state, _)| state == sqlstate::INSUFFICIENT_PRIVILEGE)
        {
            lacks.push(format!("the role {} may not create the extension {extension}", target.user));
        }
    }
    if lacks.is_empty() { Ok(()) } else { Err(BackupError::NoRights { lacks }.into()) }
}

/// The roles that the backup needs and the server lacks.
pub(crate) fn missing_roles(project: &Project, from: &Database, facts: &DatabaseFacts) -> Result<Vec<String>> {
    let there = query(project, from)?;
    Ok(missing(&facts.roles, &there.roles).cloned().collect())
}

fn check_locale(facts: &DatabaseFacts, there: &There, lacks: &mut Vec<String>) {
    for locale in [&facts.collate, &facts.ctype] {
        let known = locale.is_empty() || ["C", "POSIX"].contains(&locale.as_str()) || facts.locale_provider != "libc";
        let same = |other: &String| normal(other) == normal(locale);
        if !known && !there.locales.iter().any(same) {
            lacks.push(format!("the locale {locale} is not installed"));
            return;
        }
    }
}

/// Normalizes a locale: `en_US.UTF-8` and `en_US.utf8` are equal.
fn normal(locale: &str) -> String {
    locale.to_ascii_lowercase().replace("utf-8", "utf8")
}

#[derive(serde::Deserialize)]
struct There {
    extensions: Vec<String>,
    roles: Vec<String>,
    tablespaces: Vec<String>,
    locales: Vec<String>,
}

const ASK: &str = "SELECT json_build_object(
 'extensions', (SELECT coalesce(json_agg(name), '[]') FROM pg_available_extensions),
 'roles', (SELECT json_agg(rolname) FROM pg_roles),
 'tablespaces', (SELECT json_agg(spcname) FROM pg_tablespace),
 'locales', (SELECT coalesce(json_agg(DISTINCT l), '[]') FROM (SELECT collcollate AS l FROM pg_collation WHERE collcollate IS NOT NULL
    UNION SELECT datcollate FROM pg_database UNION SELECT datctype FROM pg_database) c));";

fn query(project: &Project, from: &Database) -> Result<There> {
    let text = from.query(project, ASK)?;
    serde_json::from_str(&text).map_err(|error| {
        let reason = error.to_string();
        PostgresError::Failed(crate::exec::ExecError::BadOutput { command: "psql".to_owned(), reason }).into()
    })
}

fn missing<'a>(wanted: &'a [String], there: &[String]) -> impl Iterator<Item = &'a String> {
    wanted.iter().filter(|name| !there.contains(name))
}
