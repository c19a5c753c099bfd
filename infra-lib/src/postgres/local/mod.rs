//! A PostgreSQL cluster of the project's own, without containers.

use std::path::PathBuf;

use crate::Secret;
use crate::error::Result;
use crate::exec::ExecError;
use crate::postgres::PostgresError;
use crate::project::Project;

use super::Database;

impl Project {
    pub(crate) fn start_local_database(&self) -> Result<()> {
        Err(PostgresError::NotFound.into())
    }
    pub(crate) fn local_database_url(&self) -> Option<String> {
        None
    }
    pub(crate) fn local_database_size(&self) -> Option<(camino::Utf8PathBuf, u64)> {
        None
    }
    pub(crate) fn remove_local_database(&self) -> Result<()> {
        Ok(())
    }
    pub(crate) fn stop_local_database(&self) -> Result<bool> {
        Ok(false)
    }
    pub(super) fn local_login(&self) -> Result<(String, String, Secret)> {
        Err(PostgresError::NotFound.into())
    }
}
impl Database {
    pub(super) fn host_tool(&self, project: &Project, tool: &str) -> Result<String> {
        project.runner().find(tool).map(|p: PathBuf| p.to_string_lossy().into_owned()).map_err(|e: ExecError| e.into())
    }
}

pub(crate) fn ensure(_: &Project, _: Option<&crate::LocalRecord>) -> Result<crate::LocalRecord> {
    Err(PostgresError::NotFound.into())
}
