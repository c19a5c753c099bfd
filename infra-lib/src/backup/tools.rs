//! Whether the versions of the client tools, the server and a dump fit together.

use crate::postgres::Toolbox;
use crate::project::error::Result;

use super::BackupError;
use super::facts::Facts;
use super::manifest::Format;

/// Since this version, dumps and `pg_restore` set `transaction_timeout`, which older servers do not know. (PostgreSQL
/// 17's release notes.)
const SETS_TRANSACTION_TIMEOUT: u32 = 17;

/// Whether a server of this version cannot take what tools of the other version write.
pub(super) fn are_too_new(tools: u32, server: u32) -> bool {
    tools >= SETS_TRANSACTION_TIMEOUT && server < SETS_TRANSACTION_TIMEOUT
}

/// The major version: `17.5 (Debian …)` gives 17.
pub(super) fn major(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Checks before a dump: older tools would fail only after they have started, and the dumps of newer ones could not be
/// restored.
pub(super) fn check_for_dump(toolbox: &Toolbox<'_>, server: &Facts) -> Result<()> {
    let Some(version) = toolbox.version()? else { return Ok(()) };
    match major(&version) {
        Some(tools) if tools < server.major() => Err(mismatch("pg_dump", &version, server, "")),
        Some(tools) if are_too_new(tools, server.major()) => {
            Err(mismatch("pg_dump", &version, server, ", which could not restore its dumps"))
        }
        _ => Ok(()),
    }
}

/// Checks before a restore. SQL is restored by psql, which works with any server.
pub(crate) fn check_for_restore(toolbox: &Toolbox<'_>, server: &Facts, format: Format) -> Result<()> {
    let version = if format == Format::Sql { None } else { toolbox.version()? };
    match version {
        Some(version) if major(&version).is_some_and(|tools| are_too_new(tools, server.major())) => {
            Err(mismatch("pg_restore", &version, server, ", which does not know all of its settings"))
        }
        _ => Ok(()),
    }
}

fn mismatch(tool: &str, version: &str, server: &Facts, why: &str) -> crate::project::error::Error {
    let message = format!("{tool} is {version}, and the server is {}{why}", server.server);
    BackupError::Mismatch { message, server: Some(server.major()) }.into()
}
