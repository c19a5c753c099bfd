//! Whether this machine has what a local cluster or a database elsewhere takes.

use camino::Utf8PathBuf;

use crate::error::Result;
use crate::project::Project;

use super::binaries::{Installation, Requirement};
use super::owner::Owner;

/// The folder and major version of the server's programs: those that made this checkout's cluster, else those that
/// would make one.
pub(crate) fn server(project: &Project) -> Result<(Utf8PathBuf, u32)> {
    let found = if let Some(status) = project.local_status() {
        Installation::of_major(project.runner(), status.version)?
    } else {
        let stated = project.manifest().database.local.as_ref();
        let wanted = Requirement::stated(stated.and_then(|local| local.version.as_deref()))?;
        Installation::for_new(project.runner(), &wanted, &Owner::for_new()?)?
    };
    Ok((found.bin, found.major))
}

/// The same of the client programs.
pub(crate) fn client(project: &Project) -> Result<(Utf8PathBuf, u32)> {
    let found = Installation::with_client(project.runner(), "psql", None)?;
    Ok((found.bin, found.major))
}
