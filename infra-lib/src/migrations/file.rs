//! Migration files and their scripts.

use camino::{Utf8Path, Utf8PathBuf};

use crate::project::error::{Error, Result};

use super::{MigrationError, Version};

/// A migration, as its files define it.
#[derive(Debug, Clone)]
pub(super) struct Migration {
    pub(super) version: Version,
    pub(super) description: String,
    /// The script that applies it.
    pub(super) up: Script,
    /// The file that reverts it, if there is one.
    pub(super) down: Option<Utf8PathBuf>,
}

/// SQL to run, with the file that contains it.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) path: Utf8PathBuf,
    /// The file's raw text. Checksums cover these bytes, and line numbers refer to it.
    pub(super) sql: String,
    /// Whether it runs inside a transaction.
    pub(super) in_transaction: bool,
}

impl Script {
    pub(super) fn read(path: Utf8PathBuf) -> Result<Self> {
        let sql = std::fs::read_to_string(&path).map_err(Error::file("read", path.clone()))?;
        Ok(Self { path, sql, in_transaction: true })
    }

    /// The text for the server, without a byte order mark.
    pub(super) fn statements(&self) -> &str {
        self.sql.trim_start_matches('\u{feff}')
    }

    /// The same script with the other kind of line endings.
    pub(super) fn with_other_line_ends(&self) -> Self {
        let unix = self.sql.replace("\r\n", "\n");
        let other = if unix == self.sql { unix.replace('\n', "\r\n") } else { unix };
        Self { sql: other, ..self.clone() }
    }
}

/// The files of a folder, sorted by name.
pub(super) fn files(dir: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in dir.read_dir_utf8().map_err(Error::file("read", dir))? {
        files.push(entry.map_err(Error::file("read", dir))?.into_path());
    }
    // Compare as text: path comparison works component by component.
    files.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok(files)
}

/// Sorts migrations by version. Two with the same version are an error.
pub(super) fn in_order(mut migrations: Vec<Migration>) -> Result<Vec<Migration>> {
    migrations.sort_by(|a, b| a.version.cmp(&b.version));
    match migrations.windows(2).find(|pair| pair[0].version == pair[1].version) {
        Some(pair) => {
            let (first, second) = (pair[0].up.path.clone(), pair[1].up.path.clone());
            Err(MigrationError::Duplicate { first, second }.into())
        }
        None => Ok(migrations),
    }
}
