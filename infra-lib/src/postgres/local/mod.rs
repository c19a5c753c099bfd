//! A PostgreSQL cluster of the project's own, without containers.

use camino::Utf8PathBuf;

use crate::Secret;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::PostgresError;
use crate::project::{LocalRecord, Project};

use super::{Database, Place};

/// Makes sure that this environment's local cluster is there, initialised and running.
pub(crate) fn ensure(_: &Project, _: Option<&LocalRecord>) -> Result<LocalRecord> {
    Err(PostgresError::NotFound.into())
}

impl Project {
    /// What `setup` recorded about this environment's local cluster.
    pub(crate) fn local_record(&self) -> Option<&LocalRecord> {
        self.record()?.local.get(&self.environment().name)
    }

    pub(in crate::postgres) fn local_database(&self) -> Result<Database> {
        let record = self.local_record().cloned().ok_or_else(|| {
            Error::new(Exit::Unavailable, "the local database has not been made yet")
                .with_hint("`cargo xtask setup` makes it")
        })?;
        let login = self.local_login()?;
        Ok(Database { name: login.0, user: login.1, password: Some(login.2), place: Place::Local(record) })
    }

    pub(crate) fn start_local_database(&self) -> Result<()> {
        Err(PostgresError::NotFound.into())
    }

    pub(crate) fn stop_local_database(&self) -> Result<bool> {
        Ok(false)
    }

    /// How to reach the local database, without the password.
    pub(crate) fn local_database_url(&self) -> Option<String> {
        None
    }

    /// Where the local database's files are, and how many bytes they take.
    pub(crate) fn local_database_size(&self) -> Option<(Utf8PathBuf, u64)> {
        None
    }

    pub(crate) fn remove_local_database(&self) -> Result<()> {
        Ok(())
    }

    pub(super) fn local_login(&self) -> Result<(String, String, Secret)> {
        Err(PostgresError::NotFound.into())
    }
}

impl Database {
    pub(super) fn host_tool(&self, project: &Project, tool: &str) -> Result<String> {
        Ok(project.runner().find(tool).map(|path| path.to_string_lossy().into_owned())?)
    }
}
