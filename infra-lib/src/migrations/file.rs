//! Migration files.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};

use super::{MigrationError, Version};

/// A migration, as its files have it.
#[derive(Debug, Clone)]
pub(super) struct Migration {
    pub(super) version: Version,
    pub(super) description: String,
    /// What leads up.
    pub(super) up: Script,
    /// The file that leads down, where there is one.
    pub(super) down: Option<Utf8PathBuf>,
}

/// SQL to run, with the file that it stands in.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) path: Utf8PathBuf,
    /// The text, raw: checksums are over these bytes. Its lines are the file's.
    pub(super) sql: String,
    /// Whether it runs inside of a transaction.
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

    /// The same with the other line ends.
    pub(super) fn with_other_line_ends(&self) -> Self {
        let unix = self.sql.replace("\r\n", "\n");
        let other = if unix == self.sql { unix.replace('\n', "\r\n") } else { unix };
        Self { sql: other, ..self.clone() }
    }
}

/// The files of a folder, in the order of their names.
pub(super) fn files(dir: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in dir.read_dir_utf8().map_err(Error::file("read", dir))? {
        files.push(entry.map_err(Error::file("read", dir))?.into_path());
    }
    // As text: comparing paths goes through their parts.
    files.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok(files)
}

/// Puts migrations into the order of their versions; two of one version are an error.
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

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
