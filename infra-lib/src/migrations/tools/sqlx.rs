//! sqlx: `<VERSION>_<description>.sql`, or `.up.sql` and `.down.sql` (`sqlx-core/src/migrate`,
//! `sqlx-postgres/src/migrate.rs`).

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use sha2::{Digest as _, Sha384};

use crate::exit::Exit;
use crate::hex;
use crate::migrations::error::MigrationError;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::new::next_version;
use crate::migrations::version::Version;
use crate::project::error::{Error, Result};

/// The native format, with the options from `sqlx.toml`.
#[derive(Debug)]
pub(in crate::migrations) struct Sqlx {
    table: String,
    /// Characters that checksums ignore.
    ignored: Vec<char>,
}

impl Default for Sqlx {
    fn default() -> Self {
        Self { table: "_sqlx_migrations".to_owned(), ignored: Vec::new() }
    }
}

/// The options in `sqlx.toml` that matter here.
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
    /// Reads the `sqlx.toml` nearest to the folder, up to the project's folder.
    pub(in crate::migrations) fn detect(root: &Utf8Path, dir: &Utf8Path) -> Result<Self> {
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

/// The first line of a file that must not run in a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

fn script(path: Utf8PathBuf) -> Result<Script> {
    let script = Script::read(path)?;
    Ok(Script { in_transaction: !script.sql.starts_with(NO_TRANSACTION), ..script })
}

impl Sqlx {
    /// The ledger table, in a form that `to_regclass` accepts.
    pub(in crate::migrations) fn table(&self) -> &str {
        &self.table
    }

    /// The migrations in a folder, in order.
    pub(in crate::migrations) fn read(dir: &Utf8Path) -> Result<Vec<Migration>> {
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

    /// The script that reverts a migration, if there is one.
    pub(in crate::migrations) fn down(migration: &Migration) -> Result<Option<Script>> {
        migration.down.clone().filter(|path| path.is_file()).map(script).transpose()
    }

    /// A query for the version, success, checksum and time of each ledger row. It is used inside a literal, so quotes are
    /// doubled, and `{}` takes the place of the table's name.
    pub(in crate::migrations) fn rows() -> &'static str {
        "SELECT version, success, encode(checksum, ''hex''), installed_on FROM {} ORDER BY version"
    }

    /// The checksum that the ledger should contain.
    pub(in crate::migrations) fn checksum(&self, migration: &Migration) -> String {
        if self.ignored.is_empty() {
            return hex::encode(&Sha384::digest(migration.up.sql.as_bytes()));
        }
        let counted: String = migration.up.sql.chars().filter(|c| !self.ignored.contains(c)).collect();
        hex::encode(&Sha384::digest(counted.as_bytes()))
    }

    /// The paths of a new migration's files.
    pub(in crate::migrations) fn new_files(dir: &Utf8Path, files: &[Migration], name: &str) -> Vec<Utf8PathBuf> {
        let version = next_version(files, dir);
        let reversible = files.last().is_none_or(|last| last.down.is_some());
        let ends: &[&str] = if reversible { &[".up.sql", ".down.sql"] } else { &[".sql"] };
        ends.iter().map(|end| dir.join(format!("{version}_{name}{end}"))).collect()
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
        let read = Sqlx::read(&path).unwrap();
        let read: Vec<_> = read.iter().map(|m| (m.version.as_str(), &*m.description, m.down.is_some())).collect();
        assert_eq!(read, [("9", "first", true), ("10", "last one", false)]);
    }

    #[test]
    fn d07_a_name_without_a_version_and_a_version_twice_are_refused() {
        for files in [&["5-x.sql"][..], &["0005_a.sql", "5_b.sql"]] {
            let (_temp, path) = dir(files);
            assert_eq!(Sqlx::read(&path).unwrap_err().exit(), Exit::Config, "{files:?}");
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
        assert_eq!(Sqlx::default().checksum(&unix).len(), 96);
    }

    #[test]
    fn sqlx_toml_may_name_the_table_and_characters_that_do_not_count() {
        let (_temp, root) = dir(&[]);
        std::fs::write(root.join("sqlx.toml"), "[migrate]\ntable-name = \"ours.ledger\"\nignored-chars = [\"\\r\"]\n")
            .unwrap();
        let sqlx = Sqlx::detect(&root, &root.join("migrations")).unwrap();
        assert!(sqlx.table() == "ours.ledger" && sqlx.create().starts_with("CREATE SCHEMA IF NOT EXISTS ours; "));
        let up = Script { path: "x".into(), sql: "SELECT 1;\r\n".to_owned(), in_transaction: true };
        let mut migration = Migration { version: Version::number(1, "1"), description: String::new(), up, down: None };
        let dos = sqlx.checksum(&migration);
        migration.up = migration.up.with_other_line_ends();
        assert_eq!(sqlx.checksum(&migration), dos);
        std::fs::write(root.join("sqlx.toml"), "[migrate]\ntable-name = \"a'; DROP\"\n").unwrap();
        assert!(Sqlx::detect(&root, &root).is_err());
    }
}
