//! The database, without its password.

use serde::Serialize;

use crate::postgres::{Place, PostgresError};
use crate::project::Project;
use crate::project::error::Result;

/// The project's database, without its password.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DescribedDatabase {
    /// The database's name on the server.
    pub name: String,
    /// The role that logs in.
    pub user: String,
    /// Where it is, in words.
    pub place: String,
}

/// `None`: there is none.
pub(super) fn describe(project: &Project) -> Result<Option<DescribedDatabase>> {
    let database = match project.database() {
        Err(error) if matches!(error.downcast_ref(), Some(PostgresError::NotFound)) => return Ok(None),
        database => database?,
    };
    let place = match &database.place {
        Place::Service { service, .. } => format!("service {service}"),
        Place::Local(local) => format!("local, 127.0.0.1:{}", local.port),
        Place::Url { host, port, .. } => format!("{host}:{port}"),
    };
    Ok(Some(DescribedDatabase { name: database.name, user: database.user, place }))
}
