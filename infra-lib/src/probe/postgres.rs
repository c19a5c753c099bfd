//! PostgreSQL: a real login over TCP, as the project's user, into the project's database.
//!
//! `pg_isready` succeeds with a wrong user, a wrong database or a wrong password.

use crate::postgres::{Place, PostgresError};
use crate::project::DatabaseAxis;

use super::snapshot::failure;
use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "postgres";

struct Login;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let inside = snapshot.project.database_axis() == DatabaseAxis::Service;
    // The error of the engine is reported once.
    if inside && snapshot.containers.is_none() { Vec::new() } else { vec![Box::new(Login)] }
}

impl Probe for Login {
    fn target(&self) -> String {
        "database".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let project = snapshot.project;
        let database = match project.database() {
            Ok(database) => database,
            // Not every project has one.
            Err(error) if matches!(error.downcast_ref(), Some(PostgresError::NotFound)) => return Vec::new(),
            Err(error) if matches!(error.downcast_ref(), Some(PostgresError::Ambiguous { .. })) => {
                let check = Check::skip(KIND, "database", error.to_string());
                return vec![error.hint().into_iter().fold(check, Check::with_hint)];
            }
            Err(error) => return vec![failure(KIND, "database", &error)],
        };
        let target = match &database.place {
            Place::Service { service, .. } if !snapshot.services.contains_key(service.as_str()) => {
                return vec![Check::skip(KIND, service, "the service is not part of this environment")];
            }
            Place::Service { service, .. } => service.clone(),
            Place::Local(_) => "local".to_owned(),
            Place::Url { host, port, .. } => format!("{host}:{port}"),
        };
        let containers = snapshot.containers.as_deref().unwrap_or_default();
        vec![match database.login_among(project, containers) {
            Ok(version) => {
                let (name, user) = (&database.name, &database.user);
                Check::ok(KIND, target, format!("{user} logs in to {name}, PostgreSQL {version}"))
            }
            Err(error) => failure(KIND, &target, &error),
        }]
    }
}
