//! sqlx: `<VERSION>_<description>.sql`, or `.up.sql` and `.down.sql` (`sqlx-core/src/migrate`, `sqlx-postgres/src/migrate.rs`).

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use sha2::{Digest as _, Sha384};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::migrations::crc32::crc32;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::new::next_version;
use crate::migrations::tool::{Book, TOOK, Tool, literal};
use crate::migrations::{MigrationError, Version};

/// The native format, as `sqlx.toml` may change it.
#[derive(Debug)]
pub(in crate::migrations) struct Sqlx {
    table: String,
    /// Characters that count for no checksum.
    ignored: Vec<char>,
}

impl Default for Sqlx {
    fn default() -> Self {
        Self { table: "_sqlx_migrations".to_owned(), ignored: Vec::new() }
    }
}

/// What of `sqlx.toml` concerns us.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Config {
    migrate: Migrate,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Migrate {
    table_name: Option<String>,
    ignored_chars: Vec<char>,
}

impl Sqlx {
    /// With the `sqlx.toml` that is nearest to the folder, up to the project's.
    pub(in crate::migrations) fn of(root: &Utf8Path, dir: &Utf8Path) -> Result<Self> {
        let usual = Self::default();
        let between = dir.ancestors().take_while(|above| above.starts_with(root)).map(|above| above.join("sqlx.toml"));
        let Some(path) = between.into_iter().find(|path| path.is_file()) else { return Ok(usual) };
        let text = std::fs::read_to_string(&path).map_err(Error::file("read", path.clone()))?;
        let Config { migrate } = toml::from_str(&text)
            .map_err(|error| Error::new(Exit::Config, format!("{path} is not valid: {}", error.message())))?;
        let table = migrate.table_name.unwrap_or(usual.table);
        if table.contains(['\'', ':', ';', '\\']) {
            return Err(Error::new(Exit::Config, format!("{path} names a table that cannot be one: {table}")));
        }
        Ok(Self { table, ignored: migrate.ignored_chars })
    }
}

/// The header of a file that wants no transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

fn script(path: Utf8PathBuf) -> Result<Script> {
    let script = Script::read(path)?;
    Ok(Script { in_transaction: !script.sql.starts_with(NO_TRANSACTION), ..script })
}

impl Tool for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn table(&self) -> &str {
        &self.table
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for path in file::files(dir)? {
            let name = path.file_name().unwrap_or_default();
            let Some(stem) = name.strip_suffix(".sql") else { continue };
            if stem.strip_suffix(".down").is_some() {
                continue;
            }
            let base = stem.strip_suffix(".up").unwrap_or(stem);
            let Some((number, description)) =
                base.split_once('_').and_then(|(number, rest)| Some((number.parse::<i64>().ok()?, rest)))
            else {
                return Err(MigrationError::Name { path }.into());
            };
            let (version, description) = (Version::number(number, number.to_string()), description.replace('_', " "));
            let down = Some(dir.join(format!("{base}.down.sql"))).filter(|_| base.len() < stem.len());
            migrations.push(Migration { version, description, up: script(path)?, down });
        }
        file::in_order(migrations)
    }

    fn down(&self, migration: &Migration) -> Result<Option<Script>> {
        migration.down.clone().filter(|path| path.is_file()).map(script).transpose()
    }

    fn rows(&self) -> &'static str {
        "SELECT version, success, encode(checksum, ''hex''), installed_on FROM {} ORDER BY version"
    }

    fn checksum(&self, migration: &Migration) -> Option<String> {
        if self.ignored.is_empty() {
            return Some(file::hex(&Sha384::digest(migration.up.sql.as_bytes())));
        }
        let counted: String = migration.up.sql.chars().filter(|c| !self.ignored.contains(c)).collect();
        Some(file::hex(&Sha384::digest(counted.as_bytes())))
    }

    fn book(&self) -> Option<&dyn Book> {
        Some(self)
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let version = next_version(files, dir);
        let reversible = files.last().is_none_or(|last| last.down.is_some());
        let ends: &[&str] = if reversible { &[".up.sql", ".down.sql"] } else { &[".sql"] };
        Some(ends.iter().map(|end| (dir.join(format!("{version}_{name}{end}")), "")).collect())
    }
}

fn insert(migration: &Migration, checksum: Option<&str>, success: bool, took: &str) -> String {
    format!(
        "INSERT INTO :ledger (version, description, success, checksum, execution_time) VALUES ({}, {}, {success}, decode('{}', 'hex'), {took})",
        migration.version,
        literal(&migration.description),
        checksum.unwrap_or_default()
    )
}

impl Book for Sqlx {
    /// A number of its own times the CRC-32 of the database's name.
    fn lock_key(&self, database: &str) -> i64 {
        0x3d32_ad9e_i64 * i64::from(crc32([database]))
    }

    fn create(&self) -> String {
        let schema = self.table.split_once('.').map(|(schema, _)| format!("CREATE SCHEMA IF NOT EXISTS {schema}; "));
        format!(
            "{}CREATE TABLE IF NOT EXISTS {} (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
         execution_time BIGINT NOT NULL)",
            schema.unwrap_or_default(),
            self.table
        )
    }

    fn note(&self, migration: &Migration, checksum: Option<&str>) -> String {
        insert(migration, checksum, true, &format!("({TOOK} * 1e9)::bigint"))
    }

    /// With sqlx too, a row that says false keeps everybody away.
    fn begin(&self, migration: &Migration, checksum: Option<&str>) -> String {
        insert(migration, checksum, false, "-1")
    }

    fn finish(&self, migration: &Migration, _: Option<&str>) -> String {
        let version = &migration.version;
        format!("UPDATE :ledger SET success = true, execution_time = ({TOOK} * 1e9)::bigint WHERE version = {version}")
    }

    fn begin_down(&self, migration: &Migration) -> String {
        format!("UPDATE :ledger SET success = false WHERE version = {}", migration.version)
    }

    fn forget(&self, migration: &Migration, _: Option<&Version>) -> String {
        format!("DELETE FROM :ledger WHERE version = {}", migration.version)
    }

    fn correct(&self, migration: &Migration, checksum: &str) -> String {
        let (version, description) = (&migration.version, literal(&migration.description));
        format!(
            "UPDATE :ledger SET checksum = decode('{checksum}', 'hex'), description = {description} WHERE version = {version}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(files: &[&str]) -> (tempfile::TempDir, Utf8PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        for file in files {
            std::fs::write(path.join(file), "SELECT 1;\n").unwrap();
        }
        (temp, path)
    }

    #[test]
    fn files_are_read_in_the_order_of_their_versions() {
        let (_temp, path) = dir(&["10_last_one.sql", "9_first.up.sql", "9_first.down.sql", "README.md"]);
        let read = Sqlx::default().read(&path).unwrap();
        let read: Vec<_> = read.iter().map(|m| (m.version.as_str(), &*m.description, m.down.is_some())).collect();
        assert_eq!(read, [("9", "first", true), ("10", "last one", false)]);
    }

    #[test]
    fn d07_a_name_without_a_version_and_a_version_twice_are_refused() {
        for files in [&["5-x.sql"][..], &["0005_a.sql", "5_b.sql"]] {
            let (_temp, path) = dir(files);
            assert_eq!(Sqlx::default().read(&path).unwrap_err().exit(), Exit::Config, "{files:?}");
        }
    }

    #[test]
    fn d12_the_checksum_is_sqlxs_and_line_ends_are_told_apart() {
        let migration = |sql: &str| {
            let up = Script { path: "x".into(), sql: sql.to_owned(), in_transaction: true };
            Migration { version: Version::number(1, "1"), description: String::new(), up, down: None }
        };
        let (unix, dos) = (migration("SELECT 1;\nSELECT 2;\n"), migration("SELECT 1;\r\nSELECT 2;\r\n"));
        assert_ne!(Sqlx::default().checksum(&unix), Sqlx::default().checksum(&dos));
        assert_eq!(unix.up.sql, dos.up.with_other_line_ends().sql);
        assert_eq!(dos.up.sql, unix.up.with_other_line_ends().sql);
        assert_eq!(Sqlx::default().checksum(&unix).unwrap().len(), 96);
    }

    #[test]
    fn sqlx_toml_may_name_the_table_and_characters_that_do_not_count() {
        let (_temp, root) = dir(&[]);
        std::fs::write(root.join("sqlx.toml"), "[migrate]\ntable-name = \"ours.ledger\"\nignored-chars = [\"\\r\"]\n")
            .unwrap();
        let sqlx = Sqlx::of(&root, &root.join("migrations")).unwrap();
        assert!(sqlx.table() == "ours.ledger" && sqlx.create().starts_with("CREATE SCHEMA IF NOT EXISTS ours; "));
        let up = Script { path: "x".into(), sql: "SELECT 1;\r\n".to_owned(), in_transaction: true };
        let mut migration = Migration { version: Version::number(1, "1"), description: String::new(), up, down: None };
        let dos = sqlx.checksum(&migration);
        migration.up = migration.up.with_other_line_ends();
        assert_eq!(sqlx.checksum(&migration), dos);
        std::fs::write(root.join("sqlx.toml"), "[migrate]\ntable-name = \"a'; DROP\"\n").unwrap();
        assert!(Sqlx::of(&root, &root).is_err());
    }

    #[test]
    fn the_lock_is_sqlxs() {
        assert_eq!(Sqlx::default().lock_key("postgres"), 0x3d32_ad9e * i64::from(crc32(["postgres"])));
    }
}
