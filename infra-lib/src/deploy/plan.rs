//! What a deploy changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::compose::{Condition, Container, Model, Status};
use crate::project::Project;
use crate::project::error::Result;
use crate::release::Release;

use super::definition::definitions;
use super::overlay;
use super::routes::{Route, routes};

/// What happens to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Its containers are already what they are to be.
    Keep,
    /// New containers start beside the old ones, which stop when requests go to the new ones.
    Switch,
    /// Its containers are replaced in place, with a gap.
    Replace,
}

/// A service of the release.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Planned {
    /// The service's name in the compose files.
    pub service: String,
    /// What happens to it.
    pub action: Action,
    /// How many containers of it run now. It keeps that number; 0 means the number in the compose files.
    pub containers: u32,
    /// The digest of its definition.
    #[serde(skip)]
    pub(super) definition: String,
    /// Whether it is the database, or a routed service depends on it, so that it comes first.
    #[serde(skip)]
    pub(super) is_early: bool,
}

/// The plan of a deploy.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) services: Vec<Planned>,
    pub(super) routes: Vec<Route>,
    /// Services with containers of an earlier deploy that the release no longer has.
    pub(crate) dropped: BTreeSet<String>,
}

impl Plan {
    /// Compares a project, opened from this release without an overlay, with the containers that there are.
    pub(crate) fn new(project: &Project, release: &Release, containers: &[Container], has_live: bool) -> Result<Self> {
        let routes = routes(project)?;
        let base = overlay::base(project, release, &routes);
        let definitions = definitions(project, &base, &routes)?;
        let model = project.model()?;
        let active = model.active(&project.environment().profiles);
        let switched: BTreeSet<&str> = routes.iter().map(|route| route.service.as_str()).collect();
        // Migrations need the database before anything that runs on the new schema.
        let databases = project.postgres_services()?;
        let below = model.with_dependencies(switched.iter().copied().chain(databases));
        let jobs = jobs(model);
        let plan = |(name, definition): (&String, &String)| {
            let own: Vec<&Container> = containers.iter().filter(|it| it.service == *name && !it.one_off).collect();
            let is_current = |container: &&Container| {
                container.deployed.as_ref().is_some_and(|it| it.definition == *definition)
                    && if jobs.contains(name.as_str()) { has_ended_well(container) } else { is_fine(container) }
            };
            // What a deploy has stopped is gone, or about to be.
            let counts = |container: &&&Container| jobs.contains(name.as_str()) || !container.status.is_down();
            let live: Vec<&&Container> = own.iter().filter(counts).collect();
            let runs = own.iter().any(|container| container.status == Status::Running);
            let action = if !live.is_empty() && live.iter().all(|container| is_current(container)) {
                Action::Keep
            } else if has_live && runs && switched.contains(name.as_str()) {
                Action::Switch
            } else {
                Action::Replace
            };
            Planned {
                service: name.clone(),
                action,
                containers: count_running(&own),
                definition: definition.clone(),
                is_early: below.contains_key(name.as_str()) && !switched.contains(name.as_str()),
            }
        };
        let services = definitions.iter().filter(|(name, _)| active.contains_key(name.as_str())).map(plan).collect();
        let is_dropped =
            |it: &&Container| !it.one_off && it.deployed.is_some() && !active.contains_key(it.service.as_str());
        let dropped = containers.iter().filter(is_dropped).map(|it| it.service.clone()).collect();
        Ok(Self { services, routes, dropped })
    }

    /// Whether everything is as the release says.
    pub(crate) fn is_done(&self) -> bool {
        self.dropped.is_empty() && self.services.iter().all(|planned| planned.action == Action::Keep)
    }

    /// Whether the containers of a service stay.
    pub(super) fn keeps(&self, service: &str) -> bool {
        self.services.iter().any(|planned| planned.service == service && planned.action == Action::Keep)
    }

    /// The services with this action, with how many containers each is to have, if it has any now.
    pub(super) fn services(&self, is_wanted: impl Fn(&Planned) -> bool) -> BTreeMap<String, u32> {
        self.services.iter().filter(|it| is_wanted(it)).map(|it| (it.service.clone(), it.containers)).collect()
    }
}

/// The services that others wait for to end well.
pub(super) fn jobs(model: &Model) -> BTreeSet<&str> {
    let dependencies = model.services.values().flat_map(|service| &service.depends_on);
    dependencies.filter(|(_, it)| it.condition == Condition::Completed).map(|(name, _)| name.as_str()).collect()
}

/// How many of these containers run, or are about to.
fn count_running(containers: &[&Container]) -> u32 {
    let up = containers.iter().filter(|container| !container.status.is_down()).count();
    u32::try_from(up).unwrap_or(u32::MAX)
}

fn has_ended_well(container: &Container) -> bool {
    container.status == Status::Exited && container.exit_code == 0
}

/// Whether nothing is known against a container.
pub(super) fn is_fine(container: &Container) -> bool {
    container.status == Status::Running && container.health != crate::compose::Health::Unhealthy
}
