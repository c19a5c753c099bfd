//! Detects the migration tool of a folder from its files.

use std::cell::OnceCell;

use camino::{Utf8Path, Utf8PathBuf};

use super::files::{digits, is_script, versioned};
use super::python;
use crate::migrations::file;
use crate::project::error::Result;

/// How certain a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    No,
    /// The files may be this tool's; its ledger in the database decides.
    Perhaps,
    Yes,
}

impl From<bool> for Match {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A folder that may contain migrations.
pub(crate) struct Folder<'a> {
    pub(crate) root: &'a Utf8Path,
    pub(crate) dir: &'a Utf8Path,
    /// The paths of its entries.
    paths: Vec<Utf8PathBuf>,
    sql: OnceCell<Vec<(Utf8PathBuf, String)>>,
}

/// Comment lines that identify SQL of other tools, supported or not.
const MARKERS: [&str; 8] = [
    "migrate:up",
    "migrate:down",
    "+goose ",
    "+migrate ",
    "liquibase formatted sql",
    "rambler up",
    "up migration",
    "down migration",
];

impl<'a> Folder<'a> {
    pub(crate) fn read(root: &'a Utf8Path, dir: &'a Utf8Path) -> Result<Self> {
        Ok(Self { root, dir, paths: file::files(dir)?, sql: OnceCell::new() })
    }

    /// Whether it contains only Markdown and hidden files.
    fn is_empty(&self) -> bool {
        self.names().all(|name| name.starts_with('.') || Utf8Path::new(name).extension() == Some("md"))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|path| path.file_name())
    }

    /// The SQL files with their text.
    fn sql(&self) -> &[(Utf8PathBuf, String)] {
        self.sql.get_or_init(|| {
            let sql = self.paths.iter().filter(|path| path.extension() == Some("sql"));
            sql.filter_map(|path| Some((path.clone(), std::fs::read_to_string(path).ok()?))).collect()
        })
    }

    /// The folders from this one up to the project's.
    fn above(&self) -> impl Iterator<Item = &Utf8Path> {
        self.dir.ancestors().take_while(|above| above.starts_with(self.root))
    }

    /// The nearest of these folders that contains the file.
    pub(crate) fn nearest(&self, name: &str) -> Option<&Utf8Path> {
        self.above().find(|above| above.join(name).is_file())
    }

    /// Whether a Cargo.toml in these folders depends on the crate.
    fn uses_crate(&self, name: &str) -> bool {
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        self.above().filter_map(|above| std::fs::read_to_string(above.join("Cargo.toml")).ok()).any(|text| {
            let Ok(manifest) = toml::from_str::<toml::Table>(&text) else { return false };
            let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
            let has = |table: &toml::Table| {
                let all = tables.iter().filter_map(|key| table.get(*key)?.as_table());
                all.flat_map(toml::Table::keys).any(|key| key == name)
            };
            has(&manifest) || workspace.is_some_and(has)
        })
    }

    /// Whether a package.json in these folders depends on the package.
    fn uses_package(&self, name: &str) -> bool {
        let tables = ["dependencies", "devDependencies"];
        self.above().filter_map(|above| std::fs::read(above.join("package.json")).ok()).any(|text| {
            let package: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
            tables.iter().any(|table| package.get(table).is_some_and(|table| table.get(name).is_some()))
        })
    }

    /// Whether a go.mod in these folders requires golang-migrate.
    fn uses_golang_migrate(&self) -> bool {
        self.above()
            .filter_map(|above| std::fs::read_to_string(above.join("go.mod")).ok())
            .any(|text| text.split_whitespace().any(|word| word.starts_with("github.com/golang-migrate/migrate/")))
    }

    fn uses_sqlx(&self) -> bool {
        self.nearest("sqlx.toml").is_some() || self.uses_crate("sqlx")
    }
}

/// Whether a line of the text is this comment.
fn has_marker(text: &str, marker: &str) -> bool {
    text.lines()
        .filter_map(|line| line.strip_prefix("--"))
        .any(|rest| rest.trim_start().get(..marker.len()).is_some_and(|start| start.eq_ignore_ascii_case(marker)))
}

/// Whether the folder is sqlx's or empty.
pub(crate) fn native(folder: &Folder<'_>) -> bool {
    if folder.is_empty() {
        return true;
    }
    let is_sqlx = |name: &str| {
        let number = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_')).map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<i64>().is_ok())
    };
    let other_ends = |name: &str| name.ends_with("_up.sql") || name.ends_with("_down.sql");
    let marked = |text: &str| MARKERS.iter().any(|marker| has_marker(text, marker));
    folder.names().any(is_sqlx)
        && (folder.uses_sqlx() || !folder.names().any(other_ends))
        && !folder.sql().iter().any(|(_, text)| marked(text))
}

pub(super) fn dbmate(folder: &Folder<'_>) -> Match {
    let is_numbered = |path: &Utf8Path| path.file_name().is_some_and(|name| !digits(name).0.is_empty());
    folder.sql().iter().any(|(path, text)| is_numbered(path) && has_marker(text, "migrate:up")).into()
}

pub(super) fn golang(folder: &Folder<'_>) -> Match {
    let is_up = |name: &str| name.ends_with(".up.sql") && digits(name).1.starts_with('_');
    match folder.names().any(is_up) {
        true if folder.uses_golang_migrate() && !folder.uses_sqlx() => Match::Yes,
        true if !folder.uses_sqlx() => Match::Perhaps,
        _ => Match::No,
    }
}

fn is_versioned(folder: &Folder<'_>) -> bool {
    fn below(paths: &[Utf8PathBuf], depth: usize) -> bool {
        paths.iter().any(|path| {
            versioned(path).is_some_and(|(prefix, ..)| prefix == 'V')
                || depth > 0 && path.is_dir() && file::files(path).is_ok_and(|paths| below(&paths, depth - 1))
        })
    }
    below(&folder.paths, 3)
}

pub(super) fn flyway(folder: &Folder<'_>) -> Match {
    match is_versioned(folder) {
        true if folder.uses_crate("refinery") => Match::Perhaps,
        yes => yes.into(),
    }
}

pub(super) fn refinery(folder: &Folder<'_>) -> Match {
    match is_versioned(folder) {
        true if folder.uses_crate("refinery") => Match::Yes,
        true if !folder.names().any(|name| name.starts_with("R__")) => Match::Perhaps,
        _ => Match::No,
    }
}

fn has_inner(folder: &Folder<'_>, inner: &str) -> bool {
    folder.paths.iter().any(|path| path.join(inner).is_file())
}

pub(super) fn prisma(folder: &Folder<'_>) -> Match {
    (folder.dir.join("migration_lock.toml").is_file() && has_inner(folder, "migration.sql")).into()
}

pub(super) fn diesel(folder: &Folder<'_>) -> Match {
    has_inner(folder, "up.sql").into()
}

pub(super) fn supabase(folder: &Folder<'_>) -> Match {
    let is_here = folder.dir.ends_with("supabase/migrations") && folder.nearest("supabase/config.toml").is_some();
    (is_here && folder.names().any(|name| digits(name).0.len() == 14 && Utf8Path::new(name).extension() == Some("sql")))
        .into()
}

pub(super) fn alembic(folder: &Folder<'_>) -> Match {
    let revisions = file::files(&folder.dir.join("versions")).unwrap_or_default();
    let is_revision = |path: &Utf8PathBuf| {
        path.extension() == Some("py") && std::fs::read_to_string(path).is_ok_and(|text| python::is_revision(&text))
    };
    let is_here = folder.dir.join("env.py").is_file() && folder.nearest("alembic.ini").is_some();
    (is_here && revisions.iter().any(is_revision)).into()
}

pub(super) fn django(folder: &Folder<'_>) -> Match {
    let Some(base) = folder.nearest("manage.py") else { return Match::No };
    let text = std::fs::read_to_string(base.join("manage.py")).unwrap_or_default();
    let is_django = text.contains("DJANGO_SETTINGS_MODULE");
    (is_django && (base == folder.dir || folder.dir.file_name() == Some("migrations"))).into()
}

pub(super) fn node_pg_migrate(folder: &Folder<'_>) -> Match {
    (folder.uses_package("node-pg-migrate") && folder.paths.iter().any(|path| is_script(path))).into()
}

pub(super) fn knex(folder: &Folder<'_>) -> Match {
    let ends = ["js", "ts", "cjs", "mjs"];
    let has_config = ends.iter().any(|end| folder.nearest(&format!("knexfile.{end}")).is_some());
    let is_ours = |path: &Utf8PathBuf| is_script(path) && path.extension() != Some("sql");
    (has_config && folder.uses_package("knex") && folder.paths.iter().any(is_ours)).into()
}
