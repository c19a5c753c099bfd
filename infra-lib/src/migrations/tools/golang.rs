//! golang-migrate: `<number>_<title>.up.sql` and `.down.sql`, and a ledger of one row, the version that was reached.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::migrations::crc32::crc32;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::ledger::Row;
use crate::migrations::new::next_version;
use crate::migrations::tool::{Book, Tool};
use crate::migrations::{MigrationError, Version, rules};

/// golang-migrate's format.
#[derive(Debug)]
pub(in crate::migrations) struct GolangMigrate;

/// Its own runs send a file as it is; so a statement that can stand in no transaction is alone in it, and others bring
/// their own `BEGIN` and `COMMIT`, which are ours to give.
fn script(path: Utf8PathBuf) -> Result<Script> {
    let script = Script::read(path)?;
    let in_transaction = !rules::is_alone_without_transaction(script.statements());
    let sql = rules::without_own_transaction(&script.sql).unwrap_or(script.sql);
    Ok(Script { sql, in_transaction, ..script_of(script.path) })
}

fn script_of(path: Utf8PathBuf) -> Script {
    Script { path, sql: String::new(), in_transaction: true }
}

impl Tool for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for path in file::files(dir)? {
            let Some(base) = path.file_name().and_then(|name| name.strip_suffix(".up.sql")) else { continue };
            let Some((number, title)) =
                base.split_once('_').and_then(|(number, title)| Some((number.parse::<i64>().ok()?, title)))
            else {
                return Err(MigrationError::Name { path }.into());
            };
            let (version, description) = (Version::number(number, number.to_string()), title.replace('_', " "));
            let down = Some(dir.join(format!("{base}.down.sql")));
            migrations.push(Migration { version, description, up: script(path)?, down });
        }
        file::in_order(migrations)
    }

    fn down(&self, migration: &Migration) -> Result<Option<Script>> {
        migration.down.clone().filter(|path| path.is_file()).map(script).transpose()
    }

    fn rows(&self) -> &'static str {
        "SELECT version, NOT dirty, NULL, NULL FROM {}"
    }

    fn applied(&self, rows: Vec<Row>, files: &[Migration]) -> Vec<Row> {
        let Some(reached) = rows.into_iter().next() else { return Vec::new() };
        let earlier = files.iter().map(|file| &file.version).filter(|version| **version < reached.version);
        let mut all: Vec<Row> =
            earlier.map(|version| Row { success: true, version: version.clone(), ..reached.clone() }).collect();
        all.push(reached);
        all
    }

    fn checksum(&self, _: &Migration) -> Option<String> {
        None
    }

    fn book(&self) -> Option<&dyn Book> {
        Some(self)
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let version = next_version(files, dir);
        Some([".up.sql", ".down.sql"].iter().map(|end| (dir.join(format!("{version}_{name}{end}")), "")).collect())
    }
}

fn set(version: &Version, dirty: bool) -> String {
    format!("TRUNCATE :ledger\\; INSERT INTO :ledger (version, dirty) VALUES ({version}, {dirty})")
}

impl Book for GolangMigrate {
    /// Its salt, and the CRC-32 of schema, table and database (`database/util.go`).
    fn lock_key(&self, database: &str) -> i64 {
        i64::from(crc32(["public", "\0", "schema_migrations", "\0", database]).wrapping_mul(1_486_364_155))
    }

    fn create(&self) -> String {
        "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"
            .to_owned()
    }

    fn note(&self, migration: &Migration, _: Option<&str>) -> String {
        set(&migration.version, false)
    }

    fn begin(&self, migration: &Migration, _: Option<&str>) -> String {
        set(&migration.version, true)
    }

    fn finish(&self, migration: &Migration, _: Option<&str>) -> String {
        set(&migration.version, false)
    }

    fn begin_down(&self, migration: &Migration) -> String {
        set(&migration.version, true)
    }

    fn forget(&self, _: &Migration, before: Option<&Version>) -> String {
        before.map_or_else(|| "TRUNCATE :ledger".to_owned(), |before| set(before, false))
    }

    fn correct(&self, _: &Migration, _: &str) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_stands_for_all_that_came_before() {
        let file = |number: i64| Migration {
            version: Version::number(number, number.to_string()),
            description: String::new(),
            up: script_of("x".into()),
            down: None,
        };
        let files = [file(1), file(2), file(3)];
        let row = Row { success: false, checksum: None, on: String::new(), version: Version::number(2, "2") };
        let rows = GolangMigrate.applied(vec![row], &files);
        let told: Vec<_> = rows.iter().map(|row| (row.version.to_string(), row.success)).collect();
        assert_eq!(told, [("1".to_owned(), true), ("2".to_owned(), false)]);
        assert!(GolangMigrate.applied(Vec::new(), &files).is_empty());
    }
}
