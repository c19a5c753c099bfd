//! Which containers must do more than pass their checks.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compose::container::Container;
use crate::compose::model::Model;
use crate::compose::software;
use crate::postgres::{Place, PostgresError};
use crate::project::Project;
use crate::project::error::Result;

use super::probe::Gate;

/// The gates of the services that are started.
pub(super) struct Gates<'p> {
    model: &'p Model,
    postgres: BTreeSet<&'p str>,
    /// The service of the project's database.
    login: Option<(String, Gate)>,
}

impl<'p> Gates<'p> {
    pub(super) fn new(project: &'p Project, services: &BTreeSet<String>) -> Result<Self> {
        let model = project.model()?;
        let mut postgres: BTreeSet<&str> = project.postgres_services()?.into_iter().collect();
        postgres.retain(|name| services.contains(*name));
        if postgres.is_empty() {
            return Ok(Self { model, postgres, login: None });
        }
        let login = match project.database() {
            Ok(database) => match database.place.clone() {
                Place::Service { service, .. } => Some((service, Gate::Login(Arc::new(database)))),
                _ => None,
            },
            // A stack need not have a database, and need not define it before it is used.
            Err(error)
                if matches!(error.downcast_ref(), Some(PostgresError::NotFound | PostgresError::Ambiguous { .. })) =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Self { model, postgres, login })
    }

    /// The gate of a container. One that runs already has passed the others.
    pub(super) fn for_container(&self, container: &Container, is_pending: bool) -> Option<Gate> {
        let service = container.service.as_str();
        if let Some((_, gate)) = self.login.as_ref().filter(|(name, _)| name == service) {
            return Some(gate.clone());
        }
        if !is_pending {
            return None;
        }
        if self.postgres.contains(service) {
            return Some(Gate::Postgres);
        }
        let software = self.model.services.get(service).and_then(software::of_service)?;
        software.has_temporary_server().then_some(Gate::EntryScript)
    }
}
