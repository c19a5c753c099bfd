//! Migration files.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha384};

use crate::error::{Error, Result};

use super::MigrationError;

/// A migration, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) description: String,
    pub(super) path: Utf8PathBuf,
    /// The text, raw: the checksum is over these bytes.
    pub(super) sql: String,
}

impl Migration {
    /// What sqlx stores: SHA-384 of the raw text.
    pub(super) fn checksum(&self) -> Vec<u8> {
        Sha384::digest(self.sql.as_bytes()).to_vec()
    }

    /// The checksum that the text would have with the other line ends.
    pub(super) fn checksum_with_other_line_ends(&self) -> Vec<u8> {
        let unix = self.sql.replace("\r\n", "\n");
        let other = if unix == self.sql { unix.replace('\n', "\r\n") } else { unix };
        Sha384::digest(other.as_bytes()).to_vec()
    }

    /// Whether it asks to run outside of a transaction.
    pub(super) fn no_transaction(&self) -> bool {
        self.sql.starts_with("-- no-transaction")
    }

    /// The text for the server, without a byte order mark.
    pub(super) fn statements(&self) -> &str {
        self.sql.trim_start_matches('\u{feff}')
    }
}

/// The migrations of a folder that lead up, in the order of their versions. Files that do not end in `.sql` are none of ours.
pub(super) fn read(dir: &Utf8Path) -> Result<Vec<Migration>> {
    let mut migrations: Vec<Migration> = Vec::new();
    for entry in dir.read_dir_utf8().map_err(Error::file("read", dir))? {
        let entry = entry.map_err(Error::file("read", dir))?;
        let name = entry.file_name();
        let Some(stem) = name.strip_suffix(".sql") else { continue };
        if stem.strip_suffix(".down").is_some() {
            continue;
        }
        let path = entry.path().to_owned();
        let stem = stem.strip_suffix(".up").unwrap_or(stem);
        let (version, description) = stem
            .split_once('_')
            .and_then(|(version, description)| Some((version.parse().ok()?, description.replace('_', " "))))
            .ok_or_else(|| MigrationError::Name { path: path.clone() })?;
        let sql = std::fs::read_to_string(&path).map_err(Error::file("read", path.clone()))?;
        migrations.push(Migration { version, description, path, sql });
    }
    migrations.sort_by_key(|migration| migration.version);
    match migrations.windows(2).find(|pair| pair[0].version == pair[1].version) {
        Some(pair) => {
            Err(MigrationError::Duplicate { first: pair[0].path.clone(), second: pair[1].path.clone() }.into())
        }
        None => Ok(migrations),
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
        let read: Vec<_> = read(&path).unwrap().into_iter().map(|m| (m.version, m.description)).collect();
        assert_eq!(read, [(9, "first".to_owned()), (10, "last one".to_owned())]);
    }

    #[test]
    fn d07_a_name_without_a_version_and_a_version_twice_are_refused() {
        for files in [&["5-x.sql"][..], &["0005_a.sql", "5_b.sql"]] {
            let (_temp, path) = dir(files);
            assert_eq!(read(&path).unwrap_err().exit(), crate::Exit::Config, "{files:?}");
        }
    }

    #[test]
    fn d12_the_checksum_is_sqlxs_and_line_ends_are_told_apart() {
        let migration =
            |sql: &str| Migration { version: 1, description: String::new(), path: "x".into(), sql: sql.to_owned() };
        let (unix, dos) = (migration("SELECT 1;\nSELECT 2;\n"), migration("SELECT 1;\r\nSELECT 2;\r\n"));
        assert_ne!(unix.checksum(), dos.checksum());
        assert_eq!(unix.checksum(), dos.checksum_with_other_line_ends());
        assert_eq!(dos.checksum(), unix.checksum_with_other_line_ends());
        assert_eq!(unix.checksum().len(), 48);
    }
}
