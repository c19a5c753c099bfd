//! Supabase: `supabase/migrations/<14 digits>_<name>.sql`, one way, in a schema of its own.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::migrations::Version;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::new::next_version;
use crate::migrations::tool::Tool;

/// Supabase's format.
#[derive(Debug)]
pub(in crate::migrations) struct Supabase;

impl Tool for Supabase {
    fn name(&self) -> &'static str {
        "supabase"
    }

    fn table(&self) -> &'static str {
        "supabase_migrations.schema_migrations"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let mut migrations = Vec::new();
        for path in file::files(dir)? {
            let Some(stem) = path.file_name().and_then(|name| name.strip_suffix(".sql")) else { continue };
            let Some((number, name)) = stem.split_once('_').and_then(|(text, name)| Some((text.parse().ok()?, name)))
            else {
                continue;
            };
            let (version, description) = (Version::number(number, number.to_string()), name.replace('_', " "));
            migrations.push(Migration { version, description, up: Script::read(path)?, down: None });
        }
        file::in_order(migrations)
    }

    fn rows(&self) -> &'static str {
        "SELECT version, true, NULL, NULL FROM {} ORDER BY version"
    }

    fn checksum(&self, _: &Migration) -> Option<String> {
        None
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        Some(vec![(dir.join(format!("{}_{name}.sql", next_version(files, dir))), "")])
    }
}
