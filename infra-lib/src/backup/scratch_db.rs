//! Scratch databases: created to be filled, then swapped with the live database or dropped.
//!
//! Names and comments identify what a crash leaves: `<database>__new_<word>` is unfinished and may be dropped,
//! `<database>__old_<word>` is the previous database from before a restore. The comment on each contains a line that
//! states its purpose.

use std::fmt::Write as _;
use std::time::Duration;

use crate::exit::Exit;
use crate::hex;
use crate::postgres::{Database, Mark, PostgresError, sqlstate};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::manifest::DatabaseFacts;
use super::name;

/// The purpose of a scratch database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Being filled by a restore.
    New,
    /// The previous database, from before a restore.
    Old,
    /// Filled by a restore drill.
    Drill,
    /// A role that owns the objects of a received backup.
    Owner,
}

/// PostgreSQL's limit for the length of a name, in bytes.
const LONGEST: usize = 63;
/// Number of random digits in a name.
pub(super) const DIGITS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(600);
/// Lifts the role's session limits, which are not meant for these operations.
pub(super) const PATIENT: &str = r"SET statement_timeout = 0; SET default_transaction_read_only = off;
SELECT format('SET %I = 0', name) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout' \gexec
";
/// The tablespace clause, quoted by the server; empty for the default tablespace.
const TABLESPACE: &str = "SELECT coalesce((SELECT format('TABLESPACE %I', spcname) FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace
 WHERE datname = :'live' AND spcname <> 'pg_default'), '') AS tablespace \\gset\n";
impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Drill => "drill",
            Self::Owner => "owner",
        }
    }

    /// A new name derived from `live`, which is shortened if it is too long.
    pub(crate) fn name(self, live: &str) -> Result<String> {
        Ok(self.prefix(live) + &hex::random_digits(DIGITS)?)
    }

    /// The prefix of names with this purpose, derived from `live`.
    pub(super) fn prefix(self, live: &str) -> String {
        let tail = format!("__{}_", self.word());
        let mut end = live.len().min(LONGEST - DIGITS - tail.len());
        while !live.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{tail}", &live[..end])
    }

    /// The line in its comment. The comment also contains the environment's mark.
    pub(super) fn note(self, live: &str) -> String {
        // A name may contain anything, brackets and line ends too; encoded, it cannot imitate another one.
        format!("[infra beside={} of={}]", self.word(), name::encode(live))
    }
}

/// The maintenance database, from which others are created: one that always exists and is not itself swapped.
pub(crate) fn maintenance(project: &Project, database: &Database) -> Result<Database> {
    let mut last = None;
    // A session cannot rename or drop the database that it is connected to.
    for name in ["postgres", "template1"].into_iter().filter(|name| *name != database.name) {
        let other = Database { name: name.to_owned(), ..database.clone() };
        match other.login(project) {
            Ok(_) => return Ok(other),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| PostgresError::NotFound.into()))
}

/// Creates an empty database with the locale of the backup, in the live database's tablespace.
pub(crate) fn create(
    project: &Project,
    from: &Database,
    live: &str,
    name: &str,
    purpose: Purpose,
    facts: Option<&DatabaseFacts>,
    major: u32,
) -> Result<()> {
    let mut call = from.psql(project)?.args(["-v", &format!("name={name}"), "-v", &format!("live={live}")]);
    let mut sql = format!("{PATIENT}{TABLESPACE}CREATE DATABASE :\"name\" TEMPLATE template0 :tablespace");
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
    let note = format!("{}\n{}", purpose.note(live), Mark::for_project(project));
    call = call.args(["-v", &format!("note={note}"), "-v", "VERBOSITY=verbose", "-f", "-"]);
    let call = call.stdin(format!("{sql};\nCOMMENT ON DATABASE :\"name\" IS :'note';\n")).deadline(DEADLINE);
    // Not interrupted by Ctrl-C: a database that is still being created cannot be dropped.
    match project.runner().aftermath().change(&call) {
        Ok(_) => Ok(()),
        Err(error) => match sqlstate::of_text(error.tail()) {
            Some((sqlstate::DISK_FULL, message)) => Err(server_full(message)),
            _ => Err(PostgresError::from_exec(error).into()),
        },
    }
}

/// The error for a full disk on the server; this machine's disk may have space.
pub(super) fn server_full(message: &str) -> Error {
    Error::new(Exit::CannotCreate, format!("the server ran out of space: {message}"))
        .with_hint("free some space on the server; what was restored so far was removed")
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
