//! What differs from one migration tool to another.

use std::fmt::Debug;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;

use super::Version;
use super::crc32::crc32;
use super::file::{Migration, Script};
use super::ledger::Row;

/// A tool's way of naming files and keeping its ledger.
pub(super) trait Tool: Debug + Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The ledger's table, as `to_regclass` takes it.
    fn table(&self) -> &str;

    /// The migrations of a folder, in order.
    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>>;

    /// What leads down from a migration, if anything does.
    fn down(&self, migration: &Migration) -> Result<Option<Script>> {
        migration.down.clone().map(Script::read).transpose()
    }

    /// Files of the folder that are left to the tool itself.
    fn left_to_it(&self, _dir: &Utf8Path) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// A query of the ledger for version, success, checksum (or NULL) and time of each row, for use inside of a literal: quotes are doubled,
    /// and the table's name is left out as `{}`.
    fn rows(&self) -> &'static str;

    /// Reads a version that the ledger has.
    fn version(&self, text: &str) -> Option<Version> {
        Version::dotted(text)
    }

    /// What the ledger's rows mean, where they are not one for each migration.
    fn applied(&self, rows: Vec<Row>, _files: &[Migration]) -> Vec<Row> {
        rows
    }

    /// What the ledger should have as the checksum; `None` where the tool keeps none.
    fn checksum(&self, migration: &Migration) -> Option<String>;

    /// How we keep its ledger; `None` where that is left to the tool.
    fn book(&self) -> Option<&dyn Book> {
        None
    }

    /// The paths of a new migration's files, each with what it holds at first.
    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>>;
}

/// SQL that keeps a ledger; the table is `:ledger` there, and what a migration took in seconds is [`TOOK`]. Statements are
/// separated by `\;`, so that psql sends them together; an empty one is fine.
pub(super) trait Book {
    /// The number that the tool locks while it migrates.
    fn lock_key(&self, database: &str) -> i64;

    /// Makes the table where it is missing.
    fn create(&self) -> String;

    /// Notes one that was applied in this transaction, or that was applied before by other means.
    fn note(&self, migration: &Migration, checksum: Option<&str>) -> String;

    /// Notes one that begins outside of a transaction.
    fn begin(&self, migration: &Migration, checksum: Option<&str>) -> String;

    /// Notes that what began has succeeded.
    fn finish(&self, migration: &Migration, checksum: Option<&str>) -> String;

    /// Notes that one is being reverted outside of a transaction.
    fn begin_down(&self, migration: &Migration) -> String;

    /// Removes one; `before` is the newest that stays.
    fn forget(&self, migration: &Migration, before: Option<&Version>) -> String;

    /// Removes one that failed half way.
    fn drop_failed(&self, migration: &Migration, before: Option<&Version>) -> String {
        self.forget(migration, before)
    }

    /// Makes a row agree with its file.
    fn correct(&self, migration: &Migration, checksum: &str) -> String;
}

/// A lock of ours for a tool that has none.
pub(super) fn own_lock(tool: &str, database: &str) -> i64 {
    (i64::from(u32::from_be_bytes(*b"infr")) << 32) | i64::from(crc32([tool, "\0", database]))
}

/// How long a migration has taken, in seconds.
pub(super) const TOOK: &str = "extract(epoch FROM clock_timestamp() - :'started'::timestamptz)";

/// A string literal in which nothing has a meaning: psql expands no variable inside of quotes.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_anything() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r"E'a\\b'");
    }
}
