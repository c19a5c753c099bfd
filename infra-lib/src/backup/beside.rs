//! Databases beside the live one: made to be filled, and exchanged with it or dropped.
//!
//! What a crash leaves is told by names and comments alone: `<database>__new_<word>` is unfinished and may go,
//! `<database>__old_<word>` is what served before a restore. Each bears a line of its own in its comment, which says so.

use std::fmt::Write as _;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::exec::Invocation;
use crate::exit::Exit;
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
pub(super) const DIGITS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(600);
/// Limits of the role's own sessions are not meant for these.
pub(super) const PATIENT: &str = "SET statement_timeout = 0; SET default_transaction_read_only = off;\n";
/// Quoted by the server; nothing where it is the usual one.
const TABLESPACE: &str = "SELECT coalesce((SELECT format('TABLESPACE %I', spcname) FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace
 WHERE datname = :'live' AND spcname <> 'pg_default'), '') AS tablespace \\gset\n";
/// `WITH (FORCE)` ends whoever is in it.
const DROP: &str = "SET statement_timeout = 0; SET default_transaction_read_only = off;\nDROP DATABASE IF EXISTS :\"name\" WITH (FORCE);\n";

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
        Ok(self.prefix(live) + &nonce::hex_digits(DIGITS)?)
    }

    /// What a name of this purpose begins with, beside `live`.
    pub(super) fn prefix(self, live: &str) -> String {
        let tail = format!("__{}_", self.word());
        let mut end = live.len().min(LONGEST - DIGITS - tail.len());
        while !live.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{tail}", &live[..end])
    }

    /// The line of its comment; the mark of its environment stands beside it.
    pub(super) fn note(self, live: &str) -> String {
        // A name may hold anything, brackets and line ends too; encoded, none can be taken for another's.
        format!("[infra beside={} of={}]", self.word(), name::encode(live))
    }
}

/// The database that others are made from: one that is always there, and is not itself to be exchanged.
pub(crate) fn maintenance(project: &Project, database: &Database) -> Result<Database> {
    let mut last = None;
    // No session can rename or drop the database that it is in.
    for name in ["postgres", "template1"].into_iter().filter(|name| *name != database.name) {
        let other = Database { name: name.to_owned(), ..database.clone() };
        match other.login(project) {
            Ok(_) => return Ok(other),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| PostgresError::NotFound.into()))
}

/// Makes an empty database with the locale that the backup was made in, where the live one's files are.
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
    let note = format!("{}\n{}", purpose.note(live), Mark::of(project));
    call = call.args(["-v", &format!("note={note}"), "-f", "-"]);
    let call = call.stdin(format!("{sql};\nCOMMENT ON DATABASE :\"name\" IS :'note';\n")).deadline(DEADLINE);
    // To its end, also after Ctrl-C: what is still being made cannot be dropped.
    match project.runner().aftermath().change(&call) {
        Ok(_) => Ok(()),
        Err(error) if error.tail().contains(FULL) => Err(server_full(error.tail().trim())),
        Err(error) => Err(PostgresError::from_exec(error).into()),
    }
}

/// What the server says when its disk is full.
const FULL: &str = "No space left on device";

/// The server's disk is full; this machine's may have room.
pub(super) fn server_full(message: &str) -> Error {
    Error::new(Exit::CannotCreate, format!("the server ran out of space: {message}"))
        .with_hint("free some space on the server; what was restored so far is gone again")
}

/// Removes a database beside the live one, and whoever is in it.
pub(crate) fn drop_database(project: &Project, from: &Database, name: &str) -> Result<()> {
    let call = from.psql(project)?.args(["-v", &format!("name={name}"), "-f", "-"]);
    let call = call.stdin(DROP).deadline(DEADLINE);
    Database::execute(project, &call)?;
    Ok(())
}

/// A database that is being filled, and the call that removes it, made before anything can be interrupted.
pub(crate) struct Unfinished(Invocation);

impl Unfinished {
    pub(crate) fn new(project: &Project, from: &Database, name: &str) -> Result<Self> {
        let call = from.psql(project)?.args(["-v", &format!("name={name}"), "-f", "-"]);
        Ok(Self(call.deadline(Duration::from_secs(30)).stdin(DROP)))
    }

    /// Drops it after a failure or a cancellation, as well as may be; what stays is found by the next run.
    pub(crate) fn abandon(&self, project: &Project) {
        let _ = project.runner().aftermath().change(&self.0);
    }
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
