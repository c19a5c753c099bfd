//! What uses the database: it is restarted, so that no connection and no cache remembers what was there before.

use crate::compose::{Service, Status};
use crate::exit::Exit;
use crate::postgres::{Database, Place};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::stack::restart::restart as restart_services;
use crate::stack::start::PATIENCE;

use super::RestoreReport;

/// Restarts the running services that depend on the database, and waits until they are ready.
pub(in crate::ops) fn restart(project: &Project, live: &Database, report: &mut RestoreReport) -> Result<()> {
    if let Some(signal) = project.cancel().signal() {
        let kept = report.old.as_ref().map_or(String::new(), |old| format!("; the previous database is kept as {old}"));
        let signal = u8::try_from(signal).unwrap_or(0);
        let what = format!("interrupted after the swap: {} holds the backup{kept}", report.database);
        return Err(Error::new(Exit::Signal(signal), what)
            .with_hint("`cargo xtask db-restore --rollback` goes back; restart the services that use the database"));
    }
    let services = users(project, live)?;
    if services.is_empty() || project.runner().is_dry_run() {
        return Ok(());
    }
    project.step(format_args!("restarting {}", services.join(", ")));
    match restart_services(project, &services, PATIENCE) {
        Ok(restarted) => {
            report.not_ready = restarted.not_ready();
            report.restarted = restarted.services;
        }
        // The restore is done, and stays done.
        Err(error) => report.not_ready.push(error.to_string()),
    }
    Ok(())
}

/// The running services that depend on the database's, or that have its URL.
fn users(project: &Project, live: &Database) -> Result<Vec<String>> {
    if !project.has_services() {
        return Ok(Vec::new());
    }
    let containers = project.containers()?;
    let runs = |name: &str| {
        containers.iter().any(|container| {
            container.service == name
                && !container.one_off
                && container.status == Status::Running
                && !container.restart_policy.is_empty()
        })
    };
    let model = project.model()?;
    let depends = |service: &Service| match &live.place {
        Place::Service { service: database, .. } => service.depends_on.contains_key(database),
        Place::Url { .. } => service.environment.values().flatten().any(|value| live.is_at(value)),
        Place::Local(_) => false,
    };
    let found = model.services.iter().filter(|(_, service)| depends(service));
    Ok(found.map(|(name, _)| name.clone()).filter(|name| runs(name)).collect())
}
