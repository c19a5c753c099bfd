//! Finds a project's migrations and the tool that they belong to.

use camino::{Utf8Path, Utf8PathBuf};

use crate::exit::Exit;
use crate::postgres::database::Database;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::error::MigrationError;
use super::file::{self, Migration};
use super::ledger::Ledger;
use super::tools::evidence::{self, Folder, Match};
use super::tools::ledger::owners;
use super::tools::other_tools::{KnownTool, Own};
use super::tools::sqlx::Sqlx;
use super::tools::standing::Migrations;
use super::tools::table::{TABLE, by_name};

/// Usual migration folders, relative to the project's folder and to those of its services.
const FOLDERS: [&str; 10] = [
    "migrations",
    "db/migrations",
    "db/migration",
    "database/migrations",
    "prisma/migrations",
    "supabase/migrations",
    "src/main/resources/db/migration",
    "flyway/sql",
    "sql/migrations",
    "alembic",
];

/// The file names in a folder of sqlx.
const SQLX: &str = "`<number>_<description>.sql`, or `.up.sql` and `.down.sql` (sqlx)";

/// A folder of migrations in the native format.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(super) sqlx: Sqlx,
    pub(super) dir: Utf8PathBuf,
}

/// A migration folder, by its format.
#[derive(Debug)]
pub(crate) enum Found {
    /// Migrations in sqlx's format.
    Native(Layout),
    /// Migrations of another tool.
    Known(Migrations),
}

impl Found {
    /// The folder configured in infra.toml, or else the one that exists.
    pub(super) fn find(project: &Project) -> Result<Option<Self>> {
        let configured = &project.config().migrations;
        let dir = match &configured.dir {
            Some(dir) => Some(project.root().join(dir)),
            None => candidate(project.root())?,
        };
        dir.map(|dir| Self::recognise(project, &dir)).transpose()
    }

    fn recognise(project: &Project, dir: &Utf8Path) -> Result<Self> {
        let root = project.root();
        // A missing folder is reported when it is read.
        let Ok(folder) = Folder::read(root, dir) else { return Self::native(root, dir) };
        if let Some(name) = &project.config().migrations.tool {
            return match by_name(name) {
                Some(tool) => Ok(Self::known(tool, &folder)),
                None if name == "sqlx" => Self::native(root, dir),
                None => {
                    let known: Vec<&str> = TABLE.iter().map(|tool| tool.name).collect();
                    Err(Error::new(Exit::Config, format!("unknown migration tool `{name}` in `[migrations] tool`"))
                        .with_hint(format!("use one of: sqlx, {}", known.join(", "))))
                }
            };
        }
        let (mut sure, mut rivals): (Vec<&KnownTool>, Vec<&KnownTool>) = (Vec::new(), Vec::new());
        for tool in &TABLE {
            match (tool.recognise)(&folder) {
                Match::Yes => sure.push(tool),
                Match::Perhaps => rivals.push(tool),
                Match::No => {}
            }
        }
        let own = match &sure[..] {
            [] if evidence::native(&folder) => "sqlx",
            [] => {
                let looked_for = std::iter::once(SQLX).chain(TABLE.iter().map(|tool| tool.looked_for)).collect();
                return Err(MigrationError::Unrecognised { dir: dir.to_owned(), looked_for }.into());
            }
            [tool] => tool.name,
            [first, second, ..] => {
                let text = format!("{dir} contains files of {} and of {}", first.name, second.name);
                return Err(Error::new(Exit::Config, text)
                    .with_hint("name the tool in infra.toml: `[migrations]` with `tool = …`"));
            }
        };
        if let Some(rival) = rivals.into_iter().find(|rival| owns(project, rival.name, own)) {
            return Ok(Self::known(rival, &folder));
        }
        match sure.first() {
            Some(tool) => Ok(Self::known(tool, &folder)),
            None => Self::native(root, dir),
        }
    }

    fn native(root: &Utf8Path, dir: &Utf8Path) -> Result<Self> {
        Ok(Self::Native(Layout { sqlx: Sqlx::detect(root, dir)?, dir: dir.to_owned() }))
    }

    fn known(tool: &'static KnownTool, folder: &Folder<'_>) -> Self {
        let home = if tool.home.is_empty() { None } else { folder.nearest(tool.home) };
        let home = home.unwrap_or(folder.root).to_owned();
        Self::Known(Migrations { tool, dir: folder.dir.to_owned(), home })
    }
}

/// The folder of the project's migrations, if it has one.
pub(crate) fn folder(project: &Project) -> Result<Option<Utf8PathBuf>> {
    let stated = project.config().migrations.dir.as_ref().map(|dir| project.root().join(dir));
    Ok(stated.map_or_else(|| candidate(project.root()), |dir| Ok(Some(dir)))?.filter(|dir| dir.is_dir()))
}

/// Whether the database has only this tool's ledger, not the other's. `false` if the database cannot be reached.
fn owns(project: &Project, tool: &str, other: &str) -> bool {
    let owners = project.database().and_then(|database| owners(project, &database)).unwrap_or_default();
    owners.iter().any(|owner| owner == tool) && !owners.iter().any(|owner| owner == other)
}

impl Layout {
    /// The native layout, for operations that only it supports. `command` selects another tool's command for the
    /// hint.
    pub(super) fn find(project: &Project, command: fn(&Own) -> &'static str) -> Result<Self> {
        match Found::find(project)? {
            Some(Found::Native(layout)) => Ok(layout),
            Some(Found::Known(Migrations { tool, .. })) => {
                Err(MigrationError::NotOurs { owner: tool.name, command: command(&tool.own) }.into())
            }
            None => Err(no_migrations()),
        }
    }

    /// The native layout; if there is none yet, the first usual folder.
    pub(super) fn for_new(project: &Project) -> Result<Self> {
        match Found::find(project)? {
            None => Ok(Self { sqlx: Sqlx::default(), dir: project.root().join(FOLDERS[0]) }),
            Some(_) => Self::find(project, |own| own.new),
        }
    }

    /// Reads the files and the ledger.
    pub(super) fn settle(self, project: &Project, database: &Database) -> Result<Settled> {
        // Query the server while reading the files: each takes about as long.
        let (files, told) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| Ledger::query(project, database, &self.sqlx));
            let files = Sqlx::read(&self.dir);
            (files, asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let files = files?;
        let ledger = Ledger::from_text(&told?, &self.sqlx)?;
        Ok(Settled { layout: self, files, ledger })
    }
}

/// The error for a project without migrations.
pub(super) fn no_migrations() -> Error {
    Error::new(Exit::Config, format!("no migrations were found in {}", FOLDERS.join(", "))).with_hint(
        "set their folder in infra.toml: `[migrations]` with `dir = \"migrations\"`, or the command that migrates: `up = […]`",
    )
}

/// A layout with its files and its ledger.
pub(super) struct Settled {
    pub(super) layout: Layout,
    pub(super) files: Vec<Migration>,
    pub(super) ledger: Ledger,
}

/// The single folder with migrations. More than one is an error, since the user has to choose.
fn candidate(root: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
    let below = |base: &Utf8Path| -> Vec<Utf8PathBuf> {
        let folders = FOLDERS.iter().map(|dir| base.join(dir)).filter(|dir| dir.is_dir());
        let django = base.join("manage.py").is_file().then(|| base.to_owned());
        folders.chain(django).collect()
    };
    let mut found = below(root);
    if found.is_empty() {
        found = file::files(root)?.iter().filter(|path| path.is_dir()).flat_map(|dir| below(dir)).collect();
    }
    if let [first, second, ..] = &found[..] {
        return Err(Error::new(Exit::Config, format!("there are migrations in {first} and in {second}"))
            .with_hint("choose one in infra.toml: `[migrations]` with `dir = …`"));
    }
    Ok(found.into_iter().next())
}
