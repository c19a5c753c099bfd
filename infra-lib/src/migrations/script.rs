//! Writes the script for the psql session that applies and reverts migrations.
//!
//! Files are sent as data, `VALUES ($tag$…$tag$) \gexec`, so that meta-commands and variables in them have no effect
//! and errors refer to the file's line numbers. Each file is applied together with its ledger row in one transaction;
//! a truncated stream commits nothing. The lock is acquired with *try*: a session waiting inside `pg_advisory_lock`
//! would deadlock with `CREATE INDEX CONCURRENTLY`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::postgres::catalog;

use super::file::{Migration, Script};
use super::ledger::fingerprint;
use super::lexer::statements;
use super::session_protocol::word;
use super::tools::sqlx::Sqlx;

/// What to do with one migration.
#[derive(Debug)]
pub(super) enum Job<'a> {
    /// Apply the migration.
    Up(&'a Migration),
    /// Revert it with this script. The last field is the newest version that remains.
    Down(&'a Migration, Script),
    /// Only record it as applied.
    Note(&'a Migration),
}

impl Job<'_> {
    pub(super) fn migration(&self) -> &Migration {
        match self {
            Self::Up(migration) | Self::Down(migration, _) | Self::Note(migration) => migration,
        }
    }

    pub(super) fn script(&self) -> &Script {
        match self {
            Self::Down(_, script) => script,
            Self::Up(migration) | Self::Note(migration) => &migration.up,
        }
    }

    /// Whether it runs inside a transaction; recording always does.
    pub(super) fn in_transaction(&self) -> bool {
        matches!(self, Self::Note(_)) || self.script().in_transaction
    }
}

/// The context of the script.
pub(super) struct Frame<'a> {
    pub(super) sqlx: &'a Sqlx,
    pub(super) database: &'a str,
    /// Whether the ledger table existed when it was read.
    pub(super) exists: bool,
    pub(super) fingerprint: &'a str,
    pub(super) nonce: &'a str,
    /// How long to wait for a lock inside a transaction, and outside one.
    pub(super) lock_timeout: [Duration; 2],
}

/// The `WHERE` condition that finds sessions holding or awaiting the tool's lock.
pub(super) fn lock_condition(key: i64) -> String {
    let [high, low] = [key >> 32, key].map(|half| half & 0xffff_ffff);
    format!(
        "l.locktype = 'advisory' AND l.classid = {high} AND l.objid = {low} AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// SQL that describes the session, so that the user can find its owner.
pub(super) const SESSION: &str = "'process ' || a.pid || ' of ' || coalesce(a.usename, '?') || coalesce(' (' || nullif(a.application_name, '') || ')', '') \
     || coalesce(', ' || a.state, '') || coalesce(', since ' || date_trunc('second', coalesce(a.xact_start, a.query_start))::text, '')";

/// Writes the complete script.
pub(super) fn write(frame: &Frame<'_>, jobs: &[Job<'_>]) -> String {
    let Frame { sqlx, nonce, fingerprint: known, .. } = frame;
    let (key, ledger) = (Sqlx::lock_key(frame.database), catalog::qualified(sqlx.table(), "ledger"));
    // `IF NOT EXISTS` requires the CREATE privilege even if the table exists.
    let create = if frame.exists { String::new() } else { format!("{};\n", sqlx.create()) };
    let (held_by, print) = (lock_condition(key), fingerprint(":ledger"));
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
{create}{ledger} \gset
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

/// Resets the session, so that settings of an earlier file do not affect the next one.
pub(super) fn fresh(timeout: Duration) -> String {
    format!(
        "RESET ALL\\; RESET ROLE\\; SET client_min_messages = warning\\; SET standard_conforming_strings = on\\; \
         SET client_encoding = 'UTF8'\\; SET statement_timeout = 0\\; SET idle_in_transaction_session_timeout = 0\\; SET lock_timeout = {}",
        timeout.as_millis()
    )
}

/// Runs a job in one transaction together with its ledger row.
fn inside(script: &mut String, frame: &Frame<'_>, job: &Job<'_>) {
    let Frame { nonce, .. } = frame;
    let _ = writeln!(
        script,
        "BEGIN\\; {}\\; SELECT clock_timestamp() AS started, txid_current()::text AS tx \\gset",
        fresh(frame.lock_timeout[0])
    );
    if !matches!(job, Job::Note(_)) {
        execute(script, nonce, job.script());
        // A second check after the rules: an undetected COMMIT would have begun another transaction.
        let _ = writeln!(
            script,
            "SELECT txid_current()::text = :'tx' AS whole \\gset\n\\if :whole\n\\else\n\\echo {nonce} {}\n\\quit\n\\endif",
            word::ENDED
        );
    }
    let checksum = frame.sqlx.checksum(job.migration());
    let row = match job {
        Job::Up(migration) | Job::Note(migration) => Sqlx::note(migration, &checksum),
        Job::Down(migration, _) => Sqlx::forget(migration),
    };
    let _ = writeln!(script, "RESET ROLE\\; {row}\\; COMMIT;");
}

/// Runs a job outside a transaction. The ledger records its start and its end, each in a transaction, so that a
/// script truncated within its text does nothing.
fn outside(script: &mut String, frame: &Frame<'_>, job: &Job<'_>, held_by: &str) {
    let Frame { nonce, .. } = frame;
    let migration = job.migration();
    let checksum = frame.sqlx.checksum(migration);
    let (begin, end) = match job {
        Job::Down(..) => (Sqlx::begin_down(migration), Sqlx::forget(migration)),
        _ => (Sqlx::begin(migration, &checksum), Sqlx::finish(migration)),
    };
    // A session that blocks on this lock would also block `CREATE INDEX CONCURRENTLY`: a deadlock.
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

/// Sends the statements of a file. Several are sent separately, so that the line of a failing one is known.
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
    use super::*;
    use crate::migrations::tools::sqlx::Sqlx;
    use crate::migrations::version::Version;
    use crate::postgres::{PostgresError, TempDatabase};

    fn migration(number: i64, sql: &str) -> Migration {
        let in_transaction = !sql.starts_with("-- no-transaction");
        let up = Script { path: format!("{number}_x.sql").into(), sql: sql.to_owned(), in_transaction };
        Migration { version: Version::number(number, number.to_string()), description: "x".to_owned(), up, down: None }
    }

    /// Number of positions at which the script is cut; more in a sweep.
    fn cuts() -> usize {
        20 * std::env::var("INFRA_TEST_SCALE").ok().and_then(|scale| scale.parse::<usize>().ok()).unwrap_or(1)
    }

    #[test]
    fn d11_wherever_the_script_is_cut_a_migration_is_there_and_noted_or_neither() {
        let server = match TempDatabase::start() {
            Err(error) if matches!(error.downcast_ref(), Some(PostgresError::NotInstalled { .. })) => return,
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
            sqlx: &sqlx,
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
            // For psql, an end within a statement is an error; an end between two statements is not.
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
