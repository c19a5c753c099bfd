//! Detects volumes that hold a database's files, which must not be copied like other files.

use crate::compose::software::{ImageRef, Software};
use crate::compose::{Service, Status};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::Volume;

impl Volume {
    /// An error if the volume holds PostgreSQL data, for which a copy of the files is not a usable backup.
    pub(crate) fn refuse_postgres(&self, project: &Project) -> Result<()> {
        let servers = project.postgres_services()?;
        let model = project.model()?;
        let postgres = Software::postgres_data();
        let user = model.services.iter().find(|(name, service)| {
            self.targets(service).any(|target| is_within(target, postgres) || is_pgdata(service, target))
                && (servers.contains(&name.as_str()) || self.targets(service).any(|target| is_within(target, postgres)))
        });
        let Some((service, _)) = user else { return Ok(()) };
        Err(Error::new(
            Exit::Refused,
            format!("the volume `{}` holds the database of `{service}`: a copy of its files is not a backup", self.key),
        )
        .with_hint("`cargo xtask db-backup` creates a consistent one, `cargo xtask db-restore` restores it"))
    }

    /// An error if a running database writes to the volume: a copy of changing files is inconsistent.
    pub(crate) fn refuse_running_database(&self, project: &Project) -> Result<()> {
        let containers = self.containers(project)?;
        let model = project.model()?;
        for container in containers.iter().filter(|container| container.status == Status::Running) {
            let Some(service) = model.services.get(&container.service) else { continue };
            let image = ImageRef::parse(service.image.as_deref().unwrap_or(&container.image)).software();
            let engine = Software::databases().find(|software| {
                let mut targets = self.targets(service);
                let is_its_data = targets.any(|target| is_within(target, software.data));
                // Another program may use `/data` as well.
                let is_telling = software.data.first().is_some_and(|folder| folder.len() > 8);
                is_its_data && (image == Some(software) || is_telling) && !software.is_postgres()
            });
            if let Some(Software { name, copier: Some(copier), .. }) = engine {
                let service = &container.service;
                return Err(Error::new(
                    Exit::Refused,
                    format!("the volume `{}` holds the data of {name}, which runs (`{service}`): a copy of its files would be inconsistent", self.key),
                )
                .with_hint(format!("`cargo xtask stop {service}` first; or use its own means ({copier})")));
            }
        }
        Ok(())
    }

    /// The mount points of the volume in a service.
    fn targets<'s>(&'s self, service: &'s Service) -> impl Iterator<Item = &'s str> {
        let is_this = |source: &str| source == self.key || source == self.name;
        service
            .volumes
            .iter()
            .filter(move |mount| mount.source.as_deref().is_some_and(is_this))
            .map(|mount| mount.target.as_str())
    }
}

fn is_within(target: &str, places: &[&str]) -> bool {
    let below = |place: &str| {
        target.trim_end_matches('/').strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    places.iter().any(|place| below(place))
}

/// Whether a service's `PGDATA` is inside this mount point.
fn is_pgdata(service: &Service, target: &str) -> bool {
    let data = service.environment.get("PGDATA").and_then(Option::as_deref);
    data.is_some_and(|data| is_within(data, &[target.trim_end_matches('/')]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_by_where_it_is_mounted() {
        let postgres = Software::postgres_data();
        assert!(is_within("/var/lib/postgresql/data", postgres) && is_within("/var/lib/postgresql/", postgres));
        assert!(!is_within("/var/lib/postgresql-backups", postgres));
        let service: Service = serde_json::from_str(r#"{"environment":{"PGDATA":"/pg/data"}}"#).unwrap();
        assert!(is_pgdata(&service, "/pg") && !is_pgdata(&service, "/backups"));
    }
}
