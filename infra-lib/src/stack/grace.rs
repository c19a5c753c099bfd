//! How long containers may take to stop. Compose kills each after ten seconds unless its file says otherwise; a
//! database gets a minute.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::compose::container::Container;
use crate::compose::error::ComposeError;
use crate::compose::model::{Model, Service};
use crate::compose::software::{ImageRef, is_database};
use crate::config::Period;
use crate::exec::invocation::Invocation;
use crate::project::Project;

/// The least that a database gets.
const DATABASE: Duration = Duration::from_secs(60);

/// Services that stop at the same time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StopGroup {
    pub(super) services: BTreeSet<String>,
    /// In seconds; by default what each container itself has been given.
    pub(super) time: Option<String>,
}

impl StopGroup {
    /// The time as this option, if there is one.
    pub(super) fn option<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.time.iter().flat_map(move |time| [name, time])
    }
}

/// These services in the groups that stop one after the other: databases come last.
pub(super) fn stop_groups(model: &Model, services: &BTreeSet<String>) -> Vec<StopGroup> {
    groups(model, services, |name| model.services.get(name).is_some_and(is_database))
}

fn groups(model: &Model, services: &BTreeSet<String>, is_database: impl Fn(&str) -> bool) -> Vec<StopGroup> {
    let (last, first): (BTreeSet<String>, _) = services.iter().cloned().partition(|name| is_database(name));
    let declared = last.iter().filter_map(|name| declared(model.services.get(name)?));
    let time = declared.max().unwrap_or_default().max(DATABASE).as_secs().to_string();
    let groups = [StopGroup { services: first, time: None }, StopGroup { services: last, time: Some(time) }];
    groups.into_iter().filter(|group| !group.services.is_empty()).collect()
}

/// Stops these containers by their ids, also those of services that the files do not define.
pub(crate) fn stop_containers<'a>(
    project: &Project,
    model: &Model,
    containers: impl Iterator<Item = &'a Container> + Clone,
) -> Result<(), ComposeError> {
    let services = containers.clone().map(|container| container.service.clone()).collect();
    let runs_database = |it: &Container| ImageRef::parse(&it.image).software().is_some_and(|it| it.copier.is_some());
    let by_image = |name: &str| containers.clone().any(|it| it.service == name && runs_database(it));
    let is_database = |name: &str| model.services.get(name).map_or_else(|| by_image(name), is_database);
    for group in groups(model, &services, is_database) {
        let ids = containers.clone().filter(|it| group.services.contains(&it.service)).map(|it| it.id.as_str());
        let call = Invocation::new("docker").arg("stop").args(group.option("-t")).args(ids);
        project.compose().change(project.runner(), &call)?;
    }
    Ok(())
}

/// `stop_grace_period`
fn declared(service: &Service) -> Option<Duration> {
    let period: Period = service.rest.get("stop_grace_period")?.as_str()?.parse().ok()?;
    Some(period.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_databases_get_a_minute_and_stop_last() {
        let model = Model::parse(
            br#"{"services":{"web":{"stop_grace_period":"3s"},"db":{"image":"postgres:17"},"slow":{"image":"postgres:17",
            "stop_grace_period":"1m30s"},"files":{"volumes":[{"type":"volume","source":"data","target":"/data"}]}}}"#,
        )
        .unwrap();
        let groups = |names: &[&str]| {
            let services = names.iter().map(|&name| name.to_owned()).collect();
            let groups = stop_groups(&model, &services).into_iter();
            let words = |group: StopGroup| (group.services.into_iter().collect::<Vec<_>>().join(" "), group.time);
            groups.map(words).collect::<Vec<_>>()
        };
        assert_eq!(groups(&["db", "web", "files"]), [("files web".into(), None), ("db".into(), Some("60".into()))]);
        assert_eq!(groups(&["slow", "db"]), [("db slow".into(), Some("90".into()))]);
        assert_eq!(groups(&["web", "gone"]), [("gone web".into(), None)]);
    }
}
