//! Where a project's migrations are, and whose they are.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

use super::tool::Tool;
use super::tools::Sqlx;

/// The folders that people use, below the project's.
const FOLDERS: [&str; 3] = ["migrations", "db/migrations", "database/migrations"];

/// A folder of migrations, and the tool whose they are.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) tool: &'static dyn Tool,
    pub(super) dir: Utf8PathBuf,
}

impl Layout {
    /// The same; where there is none yet, the first of the folders, in the native format.
    pub(super) fn for_new(project: &Project) -> Self {
        let first = || Self { tool: &Sqlx, dir: project.root().join(FOLDERS[0]) };
        Self::find(project).unwrap_or_else(|_| first())
    }

    /// The folder that the manifest names, else the one that is there.
    pub(super) fn find(project: &Project) -> Result<Self> {
        let dir = match &project.manifest().migrations.dir {
            Some(dir) => Some(project.root().join(dir)),
            None => FOLDERS.iter().map(|dir| project.root().join(dir)).find(|dir| dir.is_dir()),
        };
        let dir = dir.ok_or_else(|| {
            Error::new(Exit::Config, "no migrations were found").with_hint(
                "state where they are in infra.toml: `[migrations]` with `dir = \"migrations\"`, or the command that migrates: `up = […]`",
            )
        })?;
        Ok(Self { tool: &Sqlx, dir })
    }
}
