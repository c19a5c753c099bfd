//! Finding the installed programs that a local cluster or an external database needs.

use camino::Utf8PathBuf;

use crate::project::Project;
use crate::project::error::Result;

use super::binaries::{Installation, Requirement};
use super::owner::Owner;

/// The folder and major version of the server programs: those that created this checkout's cluster, else those that
/// would create one.
pub(crate) fn server(project: &Project) -> Result<(Utf8PathBuf, u32)> {
    let found = if let Some(status) = project.local_status() {
        Installation::of_major(project.runner(), status.version)?
    } else {
        let stated = project.config().database.local.as_ref();
        let wanted = Requirement::from_config(stated.and_then(|local| local.version.as_deref()))?;
        Installation::for_new(project.runner(), &wanted, &Owner::for_new()?)?
    };
    Ok((found.bin, found.major))
}

/// The same for the client programs.
pub(crate) fn client(project: &Project) -> Result<(Utf8PathBuf, u32)> {
    let found = Installation::with_client(project.runner(), "psql", None)?;
    Ok((found.bin, found.major))
}
