//! dbmate: `<digits>….sql` with `-- migrate:up` and `-- migrate:down` in one file.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::new::next_version;
use crate::migrations::tool::{Book, Tool, own_lock};
use crate::migrations::{MigrationError, Version};

/// dbmate's format.
#[derive(Debug)]
pub(in crate::migrations) struct Dbmate;

/// The blocks of one direction, with everything else blank: their lines stay the file's.
fn block(script: Script, direction: &str) -> Option<Script> {
    let (mut inside, mut seen, mut in_transaction) = (false, false, true);
    let mut sql = String::with_capacity(script.sql.len());
    for line in script.sql.lines() {
        let marker = line.strip_prefix("--").map(str::trim_start).and_then(|rest| rest.strip_prefix("migrate:"));
        if let Some(marker) = marker {
            let mut words = marker.split_whitespace();
            inside = words.next() == Some(direction);
            seen |= inside;
            in_transaction &= !(inside && words.any(|word| word == "transaction:false"));
        } else if inside {
            sql.push_str(line);
        }
        sql.push('\n');
    }
    seen.then_some(Script { sql, in_transaction, ..script })
}

impl Tool for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for path in file::files(dir)? {
            let Some(stem) = path.file_name().and_then(|name| name.strip_suffix(".sql")) else { continue };
            let digits = stem.len() - stem.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(number) = stem[..digits].parse() else { continue };
            let description = stem[digits..].trim_start_matches('_').replace('_', " ");
            let version = Version::number(number, &stem[..digits]);
            let up = block(Script::read(path.clone())?, "up").ok_or(MigrationError::NoUp { path: path.clone() })?;
            migrations.push(Migration { version, description, up, down: Some(path) });
        }
        file::in_order(migrations)
    }

    fn down(&self, migration: &Migration) -> Result<Option<Script>> {
        let down = block(Script::read(migration.up.path.clone())?, "down");
        Ok(down.filter(|down| !down.sql.trim().is_empty()))
    }

    fn rows(&self) -> &'static str {
        "SELECT version, true, NULL, NULL FROM {} ORDER BY version"
    }

    fn checksum(&self, _: &Migration) -> Option<String> {
        None
    }

    fn book(&self) -> Option<&dyn Book> {
        Some(self)
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let path = dir.join(format!("{}_{name}.sql", next_version(files, dir)));
        Some(vec![(path, "-- migrate:up\n\n\n-- migrate:down\n\n")])
    }
}

impl Book for Dbmate {
    fn lock_key(&self, database: &str) -> i64 {
        own_lock(self.name(), database)
    }

    fn create(&self) -> String {
        "CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(255) PRIMARY KEY)".to_owned()
    }

    fn note(&self, migration: &Migration, _: Option<&str>) -> String {
        format!("INSERT INTO :ledger (version) VALUES ('{}')", migration.version)
    }

    /// Its ledger has no word for what is under way.
    fn begin(&self, _: &Migration, _: Option<&str>) -> String {
        String::new()
    }

    fn finish(&self, migration: &Migration, checksum: Option<&str>) -> String {
        self.note(migration, checksum)
    }

    fn begin_down(&self, _: &Migration) -> String {
        String::new()
    }

    fn forget(&self, migration: &Migration, _: Option<&Version>) -> String {
        format!("DELETE FROM :ledger WHERE version = '{}'", migration.version)
    }

    fn correct(&self, _: &Migration, _: &str) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_lines() {
        let text = "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down transaction:false\nDROP TABLE a;\n--migrate:up\nSELECT 1;\n";
        let script = || Script { path: "1_x.sql".into(), sql: text.to_owned(), in_transaction: true };
        let up = block(script(), "up").unwrap();
        assert_eq!((up.sql.as_str(), up.in_transaction), ("\nCREATE TABLE a ();\n\n\n\nSELECT 1;\n", true));
        let down = block(script(), "down").unwrap();
        assert_eq!((down.sql.as_str(), down.in_transaction), ("\n\n\nDROP TABLE a;\n\n\n", false));
        assert!(block(Script { sql: "SELECT 1;".into(), ..script() }, "up").is_none());
    }
}
