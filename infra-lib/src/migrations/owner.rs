//! Who applies the migrations: this library, another tool, or commands in infra.toml.

use super::error::MigrationError;
use super::layout::{Found, Layout, no_migrations};
use super::own_tool::{self, OwnTool};
use super::status::Report;
use super::tools::standing::Migrations;
use crate::project::Project;
use crate::project::error::Result;

/// The status of each migration, if the files say whose they are. Commands of the project are not run for it.
pub(crate) fn standings(project: &Project) -> Result<Option<Report>> {
    Ok(match Owner::find(project)? {
        Owner::Native(layout) => Some(super::status(project, layout)?),
        Owner::Known(migrations) => Some(migrations.status(project)?),
        Owner::Commands(_) => None,
    })
}

/// Who applies a project's migrations.
#[derive(Debug)]
pub(crate) enum Owner {
    /// This library: the files are in sqlx's format.
    Native(Layout),
    /// The tool that the files belong to.
    Known(Migrations),
    /// Commands of the project.
    Commands(OwnTool),
}

impl Owner {
    /// From infra.toml, or else from the migration folder, or else from the files of a service.
    pub(crate) fn find(project: &Project) -> Result<Self> {
        match own_tool::configured(project) {
            Some(commands) => Ok(Self::Commands(commands)),
            None => Self::of_files(project),
        }
    }

    /// For reports: a folder configured in infra.toml takes precedence over commands, whose output says less.
    pub(crate) fn for_status(project: &Project) -> Result<Self> {
        if project.config().migrations.dir.is_some() { Self::of_files(project) } else { Self::find(project) }
    }

    fn of_files(project: &Project) -> Result<Self> {
        let stated = project.config().migrations.dir.is_some();
        match Found::find(project) {
            Ok(Some(Found::Native(layout))) => Ok(Self::Native(layout)),
            Ok(Some(Found::Known(migrations))) => Ok(Self::Known(migrations)),
            Ok(None) => own_tool::suggested(project).map(Self::Commands).ok_or_else(no_migrations),
            Err(error) if !stated && matches!(error.downcast_ref(), Some(MigrationError::Unrecognised { .. })) => {
                own_tool::suggested(project).map(Self::Commands).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }
}
