//! Prisma and diesel: a folder for each migration.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::migrations::Version;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::tool::Tool;

/// `<YYYYMMDDHHMMSS>_<name>/migration.sql`, known by the folder's name.
#[derive(Debug)]
pub(in crate::migrations) struct Prisma;

/// `<YYYY-MM-DD-HHMMSS>_<name>/up.sql` and `down.sql`, known by the digits.
#[derive(Debug)]
pub(in crate::migrations) struct Diesel;

/// The digits that a name begins with, dashes left out, and what follows them.
fn digits(name: &str) -> Option<(i64, String, &str)> {
    let (first, rest) = name.split_once('_').unwrap_or((name, ""));
    let digits = first.replace('-', "");
    Some((digits.parse().ok()?, digits, rest))
}

/// The folders that hold this file.
fn folders(dir: &Utf8Path, inner: &str) -> Result<Vec<Utf8PathBuf>> {
    Ok(file::files(dir)?.into_iter().filter(|path| path.join(inner).is_file()).collect())
}

impl Tool for Prisma {
    fn name(&self) -> &'static str {
        "prisma"
    }

    fn table(&self) -> &'static str {
        "_prisma_migrations"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for folder in folders(dir, "migration.sql")? {
            let name = folder.file_name().unwrap_or_default();
            let Some((number, _, description)) = digits(name) else { continue };
            let (version, description) = (Version::number(number, name), description.replace('_', " "));
            migrations.push(Migration {
                version,
                description,
                up: Script::read(folder.join("migration.sql"))?,
                down: None,
            });
        }
        file::in_order(migrations)
    }

    fn rows(&self) -> &'static str {
        "SELECT migration_name, finished_at IS NOT NULL, checksum, coalesce(finished_at, started_at) FROM {} \
         WHERE rolled_back_at IS NULL ORDER BY started_at"
    }

    fn version(&self, text: &str) -> Option<Version> {
        digits(text).map(|(number, ..)| Version::number(number, text))
    }

    fn checksum(&self, migration: &Migration) -> Option<String> {
        Some(file::hex(&Sha256::digest(migration.up.sql.as_bytes())))
    }

    /// Prisma writes them from its schema.
    fn new_files(&self, _: &Utf8Path, _: &[Migration], _: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        None
    }
}

impl Tool for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn table(&self) -> &'static str {
        "__diesel_schema_migrations"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for folder in folders(dir, "up.sql")? {
            let Some((number, text, description)) = digits(folder.file_name().unwrap_or_default()) else { continue };
            let (version, description) = (Version::number(number, text), description.replace('_', " "));
            let down = Some(folder.join("down.sql")).filter(|path| path.is_file());
            migrations.push(Migration { version, description, up: Script::read(folder.join("up.sql"))?, down });
        }
        file::in_order(migrations)
    }

    fn rows(&self) -> &'static str {
        "SELECT version, true, NULL, run_on FROM {} ORDER BY version"
    }

    fn checksum(&self, _: &Migration) -> Option<String> {
        None
    }

    fn new_files(&self, dir: &Utf8Path, _: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let folder = dir.join(format!("{}_{name}", Timestamp::now().strftime("%Y-%m-%d-%H%M%S")));
        Some(vec![(folder.join("up.sql"), ""), (folder.join("down.sql"), "")])
    }
}
