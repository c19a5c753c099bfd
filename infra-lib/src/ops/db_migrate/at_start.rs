//! Migrations that a service applies when it starts.

use crate::exit::Exit;
use crate::ops::restart::Restart;
use crate::ops::start::Start;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::Outcome as _;

/// Starts the service that infra.toml names for this, or starts it again, and waits until it is ready.
pub(crate) fn at_start(project: &Project) -> Result<Option<String>> {
    let Some(service) = &project.config().migrations.at_start else { return Ok(None) };
    project.known_service(service)?;
    let services = vec![service.clone()];
    let (command, exit) = if project.running(service).is_ok() {
        let report = project.nested(&Restart { services, ..Restart::default() })?;
        (format!("restart {service}"), report.exit())
    } else {
        let report = project.nested(&Start { services, ..Start::default() })?;
        (format!("start {service}"), report.exit())
    };
    if exit == Exit::Ok {
        return Ok(Some(command));
    }
    Err(Error::new(exit, format!("service `{service}`, which applies migrations at startup, did not become ready"))
        .with_hint(format!("`cargo xtask logs {service}` shows why")))
}
