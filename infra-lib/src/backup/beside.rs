//! Databases beside the live one: made to be filled, and exchanged with it or dropped.
//!
//! What a crash leaves is told by names and comments alone: `<database>__new_<word>` is unfinished and may go,
//! `<database>__old_<word>` is what served before a restore. Each bears a line of its own in its comment, which says so.

use std::fmt::Write as _;
use std::time::Duration;

use crate::error::Result;
use crate::exec::ExecError;
use crate::nonce;
use crate::postgres::{Database, Mark, PostgresError};
use crate::project::Project;

use super::manifest::DatabaseFacts;
use super::name;

/// What a database beside the live one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A restore fills it.
    New,
    /// It served before a restore.
    Old,
    /// A trial fills it.
    Drill,
}

/// PostgreSQL's limit for a name, in bytes.
const LONGEST: usize = 63;
/// Digits of chance in a name.
const DIGITS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(600);

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Drill => "drill",
        }
    }

    /// A name of its own beside `live`, which is shortened where it is too long.
    pub(crate) fn name(self, live: &str) -> Result<String> {
        let tail = format!("__{}_{}", self.word(), nonce::hex_digits(DIGITS)?);
        let mut end = live.len().min(LONGEST - tail.len());
        while !live.is_char_boundary(end) {
            end -= 1;
        }
        Ok(format!("{}{tail}", &live[..end]))
    }

    /// The line of its comment; the mark of its environment stands beside it.
    fn note(self, live: &str) -> String {
        // A name may hold anything, brackets and line ends too; encoded, none can be taken for another's.
        format!("[infra beside={} of={}]", self.word(), name::encode(live))
    }
}

/// The database that others are made from: one that is always there, and is not itself to be exchanged.
pub(crate) fn maintenance(project: &Project, database: &Database) -> Result<Database> {
    let mut last = None;
    for name in ["postgres", "template1"].into_iter().filter(|name| *name != database.name) {
        let other = Database { name: name.to_owned(), ..database.clone() };
        match other.login(project) {
            Ok(_) => return Ok(other),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| PostgresError::NotFound.into()))
}

/// Makes an empty database with the locale that the backup was made in.
pub(crate) fn create(
    project: &Project,
    from: &Database,
    live: &str,
    name: &str,
    purpose: Purpose,
    facts: Option<&DatabaseFacts>,
    major: u32,
) -> Result<()> {
    let mut call = from.psql(project)?.args(["-v", &format!("name={name}")]);
    let mut sql = "CREATE DATABASE :\"name\" TEMPLATE template0".to_owned();
    if let Some(facts) = facts.filter(|facts| !facts.encoding.is_empty()) {
        sql += " ENCODING :'encoding' LC_COLLATE :'collate' LC_CTYPE :'ctype'";
        for (key, value) in [("encoding", &facts.encoding), ("collate", &facts.collate), ("ctype", &facts.ctype)] {
            call = call.args(["-v", &format!("{key}={value}")]);
        }
        let option = match facts.locale_provider.as_str() {
            "icu" => Some("ICU_LOCALE"),
            "builtin" => Some("BUILTIN_LOCALE"),
            _ => None,
        };
        if let (Some(option), Some(locale), 15..) = (option, &facts.locale, major) {
            call = call.args(["-v", &format!("locale={locale}"), "-v", &format!("provider={}", facts.locale_provider)]);
            let _ = write!(sql, " LOCALE_PROVIDER :\"provider\" {option} :'locale'");
        }
    }
    let note = format!("{}\n{}", purpose.note(live), Mark::of(project));
    call = call.args(["-v", &format!("note={note}"), "-f", "-"]);
    let call = call.stdin(format!("{sql};\nCOMMENT ON DATABASE :\"name\" IS :'note';\n")).deadline(DEADLINE);
    Database::execute(project, &call)?;
    Ok(())
}

/// Removes a database beside the live one, and whoever is in it.
pub(crate) fn drop_database(project: &Project, from: &Database, name: &str) -> Result<()> {
    let call = from.psql(project)?.args(["-v", &format!("name={name}"), "-f", "-"]);
    let call = call.stdin("DROP DATABASE IF EXISTS :\"name\" WITH (FORCE);\n").deadline(DEADLINE);
    Database::execute(project, &call)?;
    Ok(())
}

/// The same after a failure or a cancellation, as well as may be; what stays is found by the next run.
pub(crate) fn abandon(project: &Project, from: &Database, name: &str) {
    if let Ok(call) = from.psql(project) {
        let call = call.args(["-v", &format!("name={name}"), "-f", "-"]).deadline(Duration::from_secs(30));
        let _ = project.runner().aftermath().change(&call.stdin("DROP DATABASE IF EXISTS :\"name\" WITH (FORCE);\n"));
    }
}

/// A database beside the live one.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// Those of this purpose, by their comments; the newest first.
pub(crate) fn list(project: &Project, from: &Database, live: &str, purpose: Purpose) -> Result<Vec<Beside>> {
    let call = from.psql(project)?.args(["-A", "-t", "-v", &format!("note={}", purpose.note(live)), "-f", "-"]);
    // As JSON: a name may hold line ends.
    let sql = "SELECT coalesce(json_agg(json_build_object('name', datname, 'bytes', pg_database_size(oid)) ORDER BY oid DESC), '[]') \
               FROM pg_database WHERE strpos(shobj_description(oid, 'pg_database'), :'note') > 0;";
    let text = project.runner().read(&call.stdin(sql)).map_err(PostgresError::from_exec)?.text();
    serde_json::from_str(&text).map_err(|error| {
        let reason = error.to_string();
        PostgresError::Failed(ExecError::BadOutput { command: "psql".to_owned(), reason }).into()
    })
}

/// Drops what interrupted restores and trials have left, and says so. Only whoever holds the database's lock alone may.
pub(crate) fn heal(project: &Project, from: &Database, live: &str) -> Result<()> {
    for purpose in [Purpose::New, Purpose::Drill] {
        for left in list(project, from, live, purpose)? {
            project.note(format_args!("dropping {}, which an interrupted restore had left", left.name));
            drop_database(project, from, &left.name)?;
        }
    }
    Ok(())
}

/// A database that was made to be left there is no longer an unfinished one.
pub(crate) fn keep(project: &Project, from: &Database, live: &str, name: &str) -> Result<()> {
    debug_assert_ne!(live, name);
    let note = format!("note={}", Mark::of(project));
    let call = from.psql(project)?.args(["-v", &format!("name={name}"), "-v", &note, "-f", "-"]);
    Database::execute(project, &call.stdin("COMMENT ON DATABASE :\"name\" IS :'note';\n"))?;
    Ok(())
}

/// The SQL that marks the database that is now `name` as the one that served before.
pub(crate) fn note_old(live: &str) -> String {
    Purpose::Old.note(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b05_no_databases_note_is_found_in_anothers() {
        let note = Purpose::Old.note("shop");
        for other in ["shop]", "shop] of=shop]", "x\n[infra beside=old of=shop]", "shop2", "Shop"] {
            assert!(!Purpose::Old.note(other).contains(&note), "{other}");
        }
    }

    #[test]
    fn b04_a_name_beside_a_long_one_fits() {
        let name = Purpose::New.name(&"ä".repeat(31)).unwrap();
        assert!(name.len() <= LONGEST && name.contains("__new_"), "{name}");
        assert_eq!(Purpose::Old.name("shop").unwrap().len(), "shop__old_".len() + DIGITS);
    }
}
