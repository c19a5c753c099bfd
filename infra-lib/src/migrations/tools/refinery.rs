//! refinery: `V1__name.sql`, and `U…` for what may come out of order.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::tool::Tool;

use super::flyway::parts;

/// refinery's format.
#[derive(Debug)]
pub(in crate::migrations) struct Refinery;

impl Tool for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn table(&self) -> &'static str {
        "refinery_schema_history"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for path in file::files(dir)?.into_iter().filter(|path| path.extension() == Some("sql")) {
            let Some(('V' | 'U', version, description)) = parts(&path) else { continue };
            migrations.push(Migration { version, description, up: Script::read(path)?, down: None });
        }
        file::in_order(migrations)
    }

    fn rows(&self) -> &'static str {
        "SELECT version, true, checksum, applied_on FROM {} ORDER BY version"
    }

    /// `SipHash` 1-3 over name, version and text, as Rust's own `Hash` feeds it. A version beyond 32 bits can only be of a
    /// program with the feature that makes all of them wider.
    fn checksum(&self, migration: &Migration) -> Option<String> {
        let mut hasher = DefaultHasher::new();
        let stem = migration.up.path.file_stem().unwrap_or_default();
        stem.split_once("__").map_or("", |(_, name)| name).hash(&mut hasher);
        match i32::try_from(migration.version.first()) {
            Ok(version) => version.hash(&mut hasher),
            Err(_) => migration.version.first().hash(&mut hasher),
        }
        migration.up.sql.hash(&mut hasher);
        Some(hasher.finish().to_string())
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let next = files.last().map_or(1, |last| last.version.first().saturating_add(1));
        Some(vec![(dir.join(format!("V{next}__{name}.sql")), "")])
    }
}
