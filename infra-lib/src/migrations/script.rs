//! The one psql session that applies migrations.
//!
//! Files go as data: `SELECT $tag$…$tag$ \gexec`, so that meta-commands and variables in them are inert and errors carry
//! the file's own lines. Each is applied together with its row of the ledger in one transaction; a cut stream commits
//! nothing. The lock is taken by *try*: a waiter inside `pg_advisory_lock` would deadlock with `CREATE INDEX CONCURRENTLY`.

use std::fmt::Write as _;

use super::file::Migration;

/// The words that the session prints on stdout, each behind a nonce that no migration knows.
pub(super) const BUSY: &str = "busy";
pub(super) const APPLIED: &str = "applied";
pub(super) const BEGUN: &str = "begun";

/// sqlx's table, as sqlx makes it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                     installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
                     execution_time BIGINT NOT NULL);";

/// What to do with each migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Apply it.
    Apply,
    /// Only note that it was applied.
    Note,
}

/// The script. `known` are the versions that the ledger had when it was read; if it has others by now, nothing happens.
pub(super) fn write(database: &str, known: &[i64], migrations: &[&Migration], mode: Mode, nonce: &str) -> String {
    let key = lock_key(database);
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let known = known.join(",");
    let mut script = format!(
        r"\set QUIET on
SET client_min_messages = warning;
SET lock_timeout = '5s';
SET statement_timeout = 0;
SELECT pg_try_advisory_lock({key}) AS free \gset
\if :free
\else
\echo {nonce} {BUSY}
\quit
\endif
{TABLE}
SELECT coalesce(string_agg(version::text, ',' ORDER BY version), '') = '{known}' AS same FROM _sqlx_migrations \gset
\if :same
\else
\echo {nonce} {BUSY}
\quit
\endif
"
    );
    for migration in migrations {
        one(&mut script, migration, mode, nonce);
    }
    script
}

fn one(script: &mut String, migration: &Migration, mode: Mode, nonce: &str) {
    let version = migration.version;
    let apply = mode == Mode::Apply;
    let transaction = !(apply && migration.no_transaction());
    let _ = writeln!(script, "\\echo {nonce} {BEGUN} {version}");
    if transaction {
        let _ = writeln!(script, "BEGIN;");
    } else {
        // sqlx does the same: a row that says false until the statement has succeeded.
        insert(script, migration, false);
    }
    let _ = writeln!(script, "SELECT clock_timestamp() AS started \\gset");
    if apply {
        if transaction {
            let _ = writeln!(script, "SELECT pg_current_xact_id()::text AS tx \\gset");
        }
        let tag = format!("m{nonce}");
        let _ = writeln!(script, "\\o /dev/null\nSELECT ${tag}${}${tag}$ \\gexec\n\\o", migration.statements());
        if transaction {
            // Second net under the lexer: a COMMIT in the file would have begun another transaction.
            let _ = writeln!(
                script,
                "SELECT pg_current_xact_id()::text = :'tx' AS whole \\gset\n\\if :whole\n\\else\nDO $$ BEGIN RAISE 'the migration ended its transaction'; END $$;\n\\endif"
            );
        }
    }
    if transaction {
        insert(script, migration, true);
    }
    let _ = writeln!(
        script,
        "UPDATE _sqlx_migrations SET success = true, execution_time = (extract(epoch FROM clock_timestamp() - :'started'::timestamptz) * 1e9)::bigint WHERE version = {version};"
    );
    if transaction {
        let _ = writeln!(script, "COMMIT;");
    }
    let _ = writeln!(script, "\\echo {nonce} {APPLIED} {version}");
}

fn insert(script: &mut String, migration: &Migration, success: bool) {
    let checksum = migration.checksum().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let _ = writeln!(
        script,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ({}, {}, {success}, '\\x{checksum}', -1);",
        migration.version,
        literal(&migration.description)
    );
}

/// A string literal in which nothing has a meaning: psql expands no variable inside of quotes.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// sqlx's lock: a number of its own times the CRC-32 of the database's name (`sqlx-postgres/src/migrate.rs`).
fn lock_key(database: &str) -> i64 {
    0x3d32_ad9e_i64 * i64::from(crc32(database.as_bytes()))
}

/// CRC-32/ISO-HDLC, for a few bytes.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_sqlxs() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
        assert_eq!(lock_key("postgres"), 0x3d32_ad9e * i64::from(crc32(b"postgres")));
    }

    #[test]
    fn literals_hold_anything() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r"E'a\\b'");
    }
}
