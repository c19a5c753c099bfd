//! The SQL that maintains sqlx's ledger (`sqlx-postgres/src/migrate.rs`).

use crate::migrations::file::Migration;
use crate::postgres::literal::literal;

use super::sqlx::Sqlx;

/// SQL for the migration's duration in seconds.
const TOOK: &str = "extract(epoch FROM clock_timestamp() - :'started'::timestamptz)";

fn insert(migration: &Migration, checksum: &str, success: bool, took: &str) -> String {
    format!(
        "INSERT INTO :ledger (version, description, success, checksum, execution_time) VALUES ({}, {}, {success}, decode('{}', 'hex'), {took})",
        migration.version,
        literal(&migration.description),
        checksum
    )
}

/// SQL that maintains the ledger. The table is `:ledger`, and a migration's duration in seconds is [`TOOK`]. Statements
/// are separated by `\;`, so that psql sends them together.
impl Sqlx {
    /// A constant times the CRC-32 of the database's name, as in sqlx.
    pub(in crate::migrations) fn lock_key(database: &str) -> i64 {
        0x3d32_ad9e_i64 * i64::from(crc32fast::hash(database.as_bytes()))
    }

    /// Creates the table if it does not exist.
    pub(in crate::migrations) fn create(&self) -> String {
        let schema = self.table().split_once('.').map(|(schema, _)| format!("CREATE SCHEMA IF NOT EXISTS {schema}; "));
        format!(
            "{}CREATE TABLE IF NOT EXISTS {} (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
         execution_time BIGINT NOT NULL)",
            schema.unwrap_or_default(),
            self.table()
        )
    }

    /// Records a migration that was applied in this transaction or by other means.
    pub(in crate::migrations) fn note(migration: &Migration, checksum: &str) -> String {
        insert(migration, checksum, true, &format!("({TOOK} * 1e9)::bigint"))
    }

    /// As in sqlx, a row with `success = false` blocks further migrations.
    pub(in crate::migrations) fn begin(migration: &Migration, checksum: &str) -> String {
        insert(migration, checksum, false, "-1")
    }

    /// Records that a started migration succeeded.
    pub(in crate::migrations) fn finish(migration: &Migration) -> String {
        let version = &migration.version;
        format!("UPDATE :ledger SET success = true, execution_time = ({TOOK} * 1e9)::bigint WHERE version = {version}")
    }

    /// Records the start of a revert outside a transaction.
    pub(in crate::migrations) fn begin_down(migration: &Migration) -> String {
        format!("UPDATE :ledger SET success = false WHERE version = {}", migration.version)
    }

    /// Deletes a migration's row, after a revert or when it failed partway.
    pub(in crate::migrations) fn forget(migration: &Migration) -> String {
        format!("DELETE FROM :ledger WHERE version = {}", migration.version)
    }

    /// Updates a row's checksum and description from its file.
    pub(in crate::migrations) fn correct(migration: &Migration, checksum: &str) -> String {
        let (version, description) = (&migration.version, literal(&migration.description));
        format!(
            "UPDATE :ledger SET checksum = decode('{checksum}', 'hex'), description = {description} WHERE version = {version}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_sqlxs() {
        // CRC-32 of `postgres` is 0x156a8775.
        assert_eq!(Sqlx::lock_key("postgres"), 0x3d32_ad9e * 0x156a_8775);
    }
}
