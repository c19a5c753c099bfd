//! Whether the database really lets us in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::compose::Container;
use crate::postgres::{Place, PostgresError};
use crate::project::Project;
use crate::project::error::{Error, Result};

/// A database that runs may still keep the password of an older env file in its volume, or be the image's temporary
/// server, which answers its own health check. Only a login over TCP tells. `seen` are the containers as of just now.
pub(super) fn log_in(project: &Project, services: &BTreeSet<String>, seen: &[Container], until: Instant) -> Result<()> {
    let database = match project.database() {
        Ok(database) => database,
        // A stack need not have a database, and need not define it before it is used.
        Err(error)
            if matches!(error.downcast_ref(), Some(PostgresError::NotFound | PostgresError::Ambiguous { .. })) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let Place::Service { service, .. } = &database.place else { return Ok(()) };
    if !services.contains(service) {
        return Ok(());
    }
    let mut answer = database.login_among(project, seen);
    loop {
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() < until && is_starting(&error) => {
                project.waiting(format_args!("waiting for {service} to accept a login"));
                project.cancel().sleep(Duration::from_millis(200))?;
                answer = database.login(project);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the server may accept a login a little later.
fn is_starting(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(PostgresError::Unreachable { .. } | PostgresError::Starting { .. }))
}
