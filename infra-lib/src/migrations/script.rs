//! The one psql session that applies and reverts.
//!
//! Files go as data: `VALUES ($tag$…$tag$) \gexec`, so that meta-commands and variables in them are inert and errors carry
//! the file's own lines. Each is applied together with its row of the ledger in one transaction; a cut stream commits
//! nothing. The lock is taken by *try*: a waiter inside `pg_advisory_lock` would deadlock with `CREATE INDEX CONCURRENTLY`.

use std::fmt::Write as _;
use std::time::Duration;

use super::Version;
use super::file::{Migration, Script};
use super::heard::word;
use super::ledger::fingerprint;
use super::lexer::statements;
use super::tool::{Book, Tool};

/// What to do with a migration.
#[derive(Debug)]
pub(super) enum Job<'a> {
    /// Apply it.
    Up(&'a Migration),
    /// Revert it by this script; the newest version that stays follows.
    Down(&'a Migration, Script, Option<Version>),
    /// Only note that it was applied.
    Note(&'a Migration),
}

impl Job<'_> {
    pub(super) fn migration(&self) -> &Migration {
        match self {
            Self::Up(migration) | Self::Down(migration, ..) | Self::Note(migration) => migration,
        }
    }

    pub(super) fn script(&self) -> &Script {
        match self {
            Self::Down(_, script, _) => script,
            Self::Up(migration) | Self::Note(migration) => &migration.up,
        }
    }

    /// Whether it runs inside of a transaction; a note always does.
    pub(super) fn in_transaction(&self) -> bool {
        matches!(self, Self::Note(_)) || self.script().in_transaction
    }
}

/// What the script depends on.
pub(super) struct Frame<'a> {
    pub(super) tool: &'a dyn Tool,
    pub(super) book: &'a dyn Book,
    pub(super) database: &'a str,
    /// Whether the ledger was there, and what it was, when it was read.
    pub(super) exists: bool,
    pub(super) fingerprint: &'a str,
    pub(super) nonce: &'a str,
    /// How long to wait for a lock of the database in a transaction, and outside of one.
    pub(super) lock_timeout: [Duration; 2],
}

/// The part of a `WHERE` clause that finds the tool's lock, whoever holds or awaits it.
pub(super) fn lock_condition(key: i64) -> String {
    let [high, low] = [key >> 32, key].map(|half| half & 0xffff_ffff);
    format!(
        "l.locktype = 'advisory' AND l.classid = {high} AND l.objid = {low} AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// Who it is, for somebody who wants to know whom to ask.
pub(super) const SESSION: &str = "'process ' || a.pid || ' of ' || coalesce(a.usename, '?') || coalesce(' (' || nullif(a.application_name, '') || ')', '') \
     || coalesce(', ' || a.state, '') || coalesce(', since ' || date_trunc('second', coalesce(a.xact_start, a.query_start))::text, '')";

/// The whole script.
pub(super) fn write(frame: &Frame<'_>, jobs: &[Job<'_>]) -> String {
    let Frame { tool, book, nonce, fingerprint: known, .. } = frame;
    let (key, table) = (book.lock_key(frame.database), tool.table());
    // `IF NOT EXISTS` wants the right to create, also where nothing is to be created.
    let create = if frame.exists { String::new() } else { format!("{};\n", book.create()) };
    let (held_by, print) = (lock_condition(key), fingerprint(table));
    let mut script = format!(
        r"\set QUIET on
\set VERBOSITY verbose
\encoding UTF8
SET client_min_messages = warning;
SET standard_conforming_strings = on;
SET statement_timeout = 0;
SELECT pg_try_advisory_lock({key}) AS free \gset
\if :free
\else
SELECT '{nonce} {busy} ' || {SESSION} FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.granted AND {held_by};
\echo {nonce} {busy}
\quit
\endif
{create}SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS ledger
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('{table}') \gset
SELECT {print} = '{known}' AS same \gset
\if :same
\else
\echo {nonce} {changed}
\quit
\endif
",
        busy = word::BUSY,
        changed = word::CHANGED,
    );
    for (number, job) in jobs.iter().enumerate() {
        let _ = writeln!(script, "\\echo {nonce} {} {number}", word::BEGUN);
        if job.in_transaction() {
            inside(&mut script, frame, job);
        } else {
            outside(&mut script, frame, job, &held_by);
        }
        let _ = writeln!(script, "\\echo {nonce} {} {number}", word::DONE);
    }
    script
}

/// Nothing that an earlier file has set holds for the next one: each means the same alone as in a row.
pub(super) fn fresh(timeout: Duration) -> String {
    format!(
        "RESET ALL\\; RESET ROLE\\; SET client_min_messages = warning\\; SET standard_conforming_strings = on\\; \
         SET client_encoding = 'UTF8'\\; SET statement_timeout = 0\\; SET idle_in_transaction_session_timeout = 0\\; SET lock_timeout = {}",
        timeout.as_millis()
    )
}

/// In one transaction, together with the ledger's row.
fn inside(script: &mut String, frame: &Frame<'_>, job: &Job<'_>) {
    let Frame { book, nonce, .. } = frame;
    let _ = writeln!(
        script,
        "BEGIN\\; {}\\; SELECT clock_timestamp() AS started, txid_current()::text AS tx \\gset",
        fresh(frame.lock_timeout[0])
    );
    if !matches!(job, Job::Note(_)) {
        execute(script, nonce, job.script());
        // Second net under the rules: a COMMIT that they did not see would have begun another transaction.
        let _ = writeln!(
            script,
            "SELECT txid_current()::text = :'tx' AS whole \\gset\n\\if :whole\n\\else\n\\echo {nonce} {}\n\\quit\n\\endif",
            word::ENDED
        );
    }
    let checksum = frame.tool.checksum(job.migration());
    let row = match job {
        Job::Up(migration) | Job::Note(migration) => book.note(migration, checksum.as_deref()),
        Job::Down(migration, _, before) => book.forget(migration, before.as_ref()),
    };
    let _ = writeln!(script, "RESET ROLE\\; {row}\\; COMMIT;");
}

/// Outside of one: the ledger says before that it is under way, and afterwards that it is done. Each of the two is a
/// transaction, so that a script that is cut in the middle of its text does nothing.
fn outside(script: &mut String, frame: &Frame<'_>, job: &Job<'_>, held_by: &str) {
    let Frame { book, nonce, .. } = frame;
    let migration = job.migration();
    let checksum = frame.tool.checksum(migration);
    let (begin, end) = match job {
        Job::Down(_, _, before) => (book.begin_down(migration), book.forget(migration, before.as_ref())),
        _ => (book.begin(migration, checksum.as_deref()), book.finish(migration, checksum.as_deref())),
    };
    // What waits for the lock without letting go keeps `CREATE INDEX CONCURRENTLY` waiting too: a deadlock.
    let _ = writeln!(
        script,
        "SELECT '{nonce} {busy} ' || {SESSION} FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND {held_by};\n\
         SELECT NOT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND {held_by}) AS clear \\gset\n\
         \\if :clear\n\\else\n\\echo {nonce} {busy}\n\\quit\n\\endif",
        busy = word::BUSY,
    );
    let _ = writeln!(script, "BEGIN\\; {}\\; SELECT clock_timestamp() AS started \\gset", fresh(frame.lock_timeout[1]));
    let _ = writeln!(script, "{begin}\\; COMMIT;");
    execute(script, nonce, job.script());
    let _ = writeln!(script, "BEGIN\\; RESET ROLE\\; {end}\\; COMMIT;");
}

/// The statements of a file. Several go one by one, so that the line of the one that fails is known.
pub(super) fn execute(script: &mut String, nonce: &str, file: &Script) {
    let tag = format!("$m{nonce}$");
    let all = statements(file.statements());
    match &all[..] {
        [] => {}
        [only] => {
            let _ = writeln!(script, "\\echo {nonce} {} {}", word::AT, only.line);
            let _ = writeln!(script, "SELECT {tag}{}{tag} \\gexec", only.text);
        }
        _ => {
            let cells: Vec<String> = all
                .iter()
                .map(|it| format!("($$SELECT '{nonce} {} {}'$$), ({tag}{}{tag})", word::AT, it.line, it.text))
                .collect();
            let _ = writeln!(script, "VALUES {} \\gexec", cells.join(",\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tools::Sqlx;
    use super::*;
    use crate::postgres::{PostgresError, TempDatabase};

    fn migration(number: i64, sql: &str) -> Migration {
        let in_transaction = !sql.starts_with("-- no-transaction");
        let up = Script { path: format!("{number}_x.sql").into(), sql: sql.to_owned(), in_transaction };
        Migration { version: Version::number(number, number.to_string()), description: "x".to_owned(), up, down: None }
    }

    /// How many places the script is cut at: more in a sweep.
    fn cuts() -> usize {
        std::env::var("INFRA_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(40)
    }

    #[test]
    fn d11_wherever_the_script_is_cut_a_migration_is_there_and_noted_or_neither() {
        let server = match TempDatabase::start() {
            Err(crate::Error::Postgres(PostgresError::NotInstalled { .. })) => return,
            server => server.unwrap(),
        };
        let files = [
            migration(1, "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n"),
            migration(2, "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\n"),
            migration(3, "CREATE TABLE b (id int);\n"),
        ];
        let jobs: Vec<Job<'_>> = files.iter().map(Job::Up).collect();
        let empty = server.query("SELECT md5('');").unwrap();
        let sqlx = Sqlx::default();
        let frame = Frame {
            tool: &sqlx,
            book: &sqlx,
            database: "postgres",
            exists: false,
            fingerprint: empty.trim(),
            nonce: "0123456789",
            lock_timeout: [Duration::from_secs(5); 2],
        };
        let script = write(&frame, &jobs);
        let begins = script.find("CREATE TABLE IF NOT EXISTS").unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..=cuts() {
            let mut cut = begins + (script.len() - begins) * number / cuts();
            while !script.is_char_boundary(cut) {
                cut += 1;
            }
            server.query("DROP TABLE IF EXISTS a, b, _sqlx_migrations;").unwrap();
            // What ends in the middle of a statement is an error to psql; what ends between two is none.
            let _ = server.query(&script[..cut]);
            let state = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version bigint, success boolean);\n\
                SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NOT NULL,\n\
                  coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i')), false);\n\
                SELECT coalesce(bool_or(success) FILTER (WHERE version = 1), false),\n\
                  coalesce(bool_or(success) FILTER (WHERE version = 3), false),\n\
                  coalesce(bool_or(success) FILTER (WHERE version = 2), false), count(*) FROM _sqlx_migrations;\n";
            let told = server.query(state).unwrap();
            let fields: Vec<&str> = told.split_whitespace().collect();
            let [a, b, index, noted_a, noted_b, noted_index, _] = fields[..] else { panic!("{told}") };
            assert_eq!((a, b), (noted_a, noted_b), "cut at {cut}: {}", &script[..cut]);
            assert!(noted_index == "f" || index == "t", "cut at {cut}: noted, and not there");
            seen.insert(format!("{a}{index}{b}"));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["fff", "tff", "ttf", "ttt"], "every state was met");
    }
}
