//! Where a project's migrations are, and whose they are.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;

use super::file::{self, Migration};
use super::ledger::Ledger;
use super::tool::Tool;
use super::tools::{Dbmate, Diesel, Flyway, GolangMigrate, Prisma, Refinery, Sqlx, Supabase};

/// The folders that people use, below the project's and below those of its services.
const FOLDERS: [&str; 9] = [
    "migrations",
    "db/migrations",
    "db/migration",
    "database/migrations",
    "prisma/migrations",
    "supabase/migrations",
    "src/main/resources/db/migration",
    "flyway/sql",
    "sql/migrations",
];

/// A folder of migrations, and the tool whose they are.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) tool: Arc<dyn Tool>,
    /// Whose they are just as well, by their files; the database's tables decide.
    other: Option<Arc<dyn Tool>>,
    pub(super) dir: Utf8PathBuf,
}

impl Layout {
    /// The same; where there is none yet, the first of the folders, in the native format.
    pub(super) fn for_new(project: &Project) -> Self {
        let first = || Self { tool: Arc::new(Sqlx::default()), other: None, dir: project.root().join(FOLDERS[0]) };
        Self::find(project).unwrap_or_else(|_| first())
    }

    /// The folder that the manifest names, else the one that is there.
    pub(super) fn find(project: &Project) -> Result<Self> {
        let dir = match &project.manifest().migrations.dir {
            Some(dir) => Some(project.root().join(dir)),
            None => candidates(project.root())?,
        };
        let dir = dir.ok_or_else(|| {
            Error::new(Exit::Config, "no migrations were found").with_hint(
                "state where they are in infra.toml: `[migrations]` with `dir = \"migrations\"`, or the command that migrates: `up = […]`",
            )
        })?;
        let (tool, other) = recognise(project.root(), &dir)?;
        Ok(Self { tool, other, dir })
    }

    /// Decides between two tools by their tables, and returns what was read on the way.
    pub(super) fn settle(mut self, project: &Project, database: &Database) -> Result<Settled> {
        // The server is asked while the files are read: each takes about as long.
        let (files, told) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| Ledger::ask(project, database, &*self.tool));
            let files = self.tool.read(&self.dir);
            (files, asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let files = files?;
        let ledger = Ledger::of(&told?, &*self.tool, &files)?;
        let Some(other) = self
            .other
            .take()
            .filter(|other| !ledger.exists && ledger.others.iter().any(|(owner, _)| *owner == other.name()))
        else {
            return Ok(Settled { layout: self, files, ledger });
        };
        let files = other.read(&self.dir)?;
        let ledger = Ledger::read(project, database, &*other, &files)?;
        self.tool = other;
        Ok(Settled { layout: self, files, ledger })
    }
}

/// A layout whose tool is known for sure, its files and the ledger.
pub(super) struct Settled {
    pub(super) layout: Layout,
    pub(super) files: Vec<Migration>,
    pub(super) ledger: Ledger,
}

/// The one folder with migrations; several are a question that somebody has to answer.
fn candidates(root: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
    let below = |base: &Utf8Path| -> Vec<Utf8PathBuf> {
        FOLDERS.iter().map(|dir| base.join(dir)).filter(|dir| dir.is_dir()).collect()
    };
    let mut found = below(root);
    if found.is_empty() {
        found = file::files(root)?.iter().filter(|path| path.is_dir()).flat_map(|dir| below(dir)).collect();
    }
    if let [first, second, ..] = &found[..] {
        return Err(Error::new(Exit::Config, format!("there are migrations in {first} and in {second}"))
            .with_hint("state which are the project's in infra.toml: `[migrations]` with `dir = …`"));
    }
    Ok(found.into_iter().next())
}

type Tools = (Arc<dyn Tool>, Option<Arc<dyn Tool>>);

/// Whose files these are, and whose they may be as well.
fn recognise(root: &Utf8Path, dir: &Utf8Path) -> Result<Tools> {
    let sqlx = || -> Result<Arc<dyn Tool>> { Ok(Arc::new(Sqlx::of(root, dir)?)) };
    let Ok(paths) = file::files(dir) else { return Ok((sqlx()?, None)) };
    if dir.ends_with("supabase/migrations") {
        return Ok((Arc::new(Supabase), None));
    }
    // Folders have no extension; there may be thousands of files.
    let folders = || paths.iter().filter(|path| path.extension().is_none());
    if folders().any(|path| path.join("migration.sql").is_file()) || dir.join("migration_lock.toml").is_file() {
        return Ok((Arc::new(Prisma), None));
    }
    if folders().any(|path| path.join("up.sql").is_file()) {
        return Ok((Arc::new(Diesel), None));
    }
    let named = |test: fn(&str) -> bool| paths.iter().any(|path| path.file_name().is_some_and(test));
    let versioned = |name: &str| name.strip_prefix(['V', 'R', 'B']).is_some_and(|rest| rest.contains("__"));
    if named(versioned) || dir.ends_with("db/migration") {
        let rust = depends_on(root, dir, "Cargo.toml", "refinery");
        let (refinery, flyway): (Arc<dyn Tool>, Arc<dyn Tool>) = (Arc::new(Refinery), Arc::new(Flyway));
        return Ok(if rust { (refinery, Some(flyway)) } else { (flyway, Some(refinery)) });
    }
    if paths.iter().filter(|path| path.extension() == Some("sql")).take(3).any(|path| is_dbmate(path)) {
        return Ok((Arc::new(Dbmate), None));
    }
    if named(|name| name.ends_with(".up.sql")) {
        let go = depends_on(root, dir, "go.mod", "golang-migrate") && !depends_on(root, dir, "Cargo.toml", "sqlx");
        let golang: Arc<dyn Tool> = Arc::new(GolangMigrate);
        return Ok(if go { (golang, Some(sqlx()?)) } else { (sqlx()?, Some(golang)) });
    }
    Ok((sqlx()?, None))
}

fn is_dbmate(path: &Utf8Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.strip_prefix("--").is_some_and(|rest| rest.trim_start().starts_with("migrate:up")))
}

/// Whether a manifest between the folder and the project's root names this.
fn depends_on(root: &Utf8Path, dir: &Utf8Path, manifest: &str, name: &str) -> bool {
    let between = dir.ancestors().take_while(|above| above.starts_with(root));
    between.filter_map(|above| std::fs::read_to_string(above.join(manifest)).ok()).any(|text| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(files: &[(&str, &str)], dir: &str) -> &'static str {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temp.path()).unwrap();
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        recognise(root, &root.join(dir)).unwrap().0.name()
    }

    #[test]
    fn tools_are_known_by_their_files() {
        let sql = "SELECT 1;\n";
        assert_eq!(tool(&[("migrations/1_a.sql", sql)], "migrations"), "sqlx");
        assert_eq!(tool(&[("migrations/1_a.up.sql", sql)], "migrations"), "sqlx");
        let go = [("migrations/1_a.up.sql", sql), ("go.mod", "require github.com/golang-migrate/migrate/v4")];
        assert_eq!(tool(&go, "migrations"), "golang-migrate");
        assert_eq!(tool(&[("db/migrations/1.sql", "-- migrate:up\n")], "db/migrations"), "dbmate");
        assert_eq!(tool(&[("m/V1__a.sql", sql)], "m"), "flyway");
        assert_eq!(tool(&[("m/V1__a.sql", sql), ("Cargo.toml", "refinery = \"0.8\"")], "m"), "refinery");
        assert_eq!(tool(&[("prisma/migrations/1_a/migration.sql", sql)], "prisma/migrations"), "prisma");
        assert_eq!(tool(&[("m/2024-01-01-000000_a/up.sql", sql)], "m"), "diesel");
        assert_eq!(tool(&[("supabase/migrations/20240101000000_a.sql", sql)], "supabase/migrations"), "supabase");
        assert_eq!(tool(&[], "nowhere"), "sqlx");
    }
}
