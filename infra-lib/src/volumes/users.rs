//! Volumes whose files are a database's, which changes them in an order that only it knows.

use crate::compose::{Service, Status};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

use super::Volume;

/// A kind of database: what its image is called, where its data lies in it, and what copies it.
struct Engine {
    name: &'static str,
    images: &'static [&'static str],
    data: &'static [&'static str],
    copier: &'static str,
}

const ENGINES: [Engine; 7] = [
    Engine {
        name: "MySQL",
        images: &["mysql", "mariadb", "percona"],
        data: &["/var/lib/mysql", "/bitnami/mysql", "/bitnami/mariadb"],
        copier: "mysqldump",
    },
    Engine {
        name: "MongoDB",
        images: &["mongo"],
        data: &["/data/db", "/var/lib/mongodb", "/bitnami/mongodb"],
        copier: "mongodump",
    },
    Engine {
        name: "Redis",
        images: &["redis", "valkey", "keydb", "dragonfly"],
        data: &["/data", "/var/lib/redis", "/bitnami/redis", "/bitnami/valkey"],
        copier: "redis-cli --rdb",
    },
    Engine {
        name: "Elasticsearch",
        images: &["elasticsearch", "opensearch"],
        data: &["/usr/share/elasticsearch/data", "/usr/share/opensearch/data"],
        copier: "its snapshots",
    },
    Engine { name: "ClickHouse", images: &["clickhouse"], data: &["/var/lib/clickhouse"], copier: "BACKUP … TO" },
    Engine {
        name: "Cassandra",
        images: &["cassandra", "scylla"],
        data: &["/var/lib/cassandra", "/var/lib/scylla"],
        copier: "nodetool snapshot",
    },
    Engine { name: "SQL Server", images: &["mssql"], data: &["/var/opt/mssql"], copier: "BACKUP DATABASE" },
];
/// Where PostgreSQL's images have their data.
const POSTGRES: [&str; 2] = ["/var/lib/postgresql", "/bitnami/postgresql"];

impl Volume {
    /// An error if it holds PostgreSQL's data: a copy of its files is no backup, and a restore of them is no restore.
    pub(crate) fn refuse_postgres(&self, project: &Project) -> Result<()> {
        let servers = project.postgres_services()?;
        let model = project.model()?;
        let user = model.services.iter().find(|(name, service)| {
            self.targets(service).any(|target| is_within(target, &POSTGRES) || is_pgdata(service, target))
                && (servers.contains(&name.as_str())
                    || self.targets(service).any(|target| is_within(target, &POSTGRES)))
        });
        let Some((service, _)) = user else { return Ok(()) };
        Err(Error::new(
            Exit::Refused,
            format!(
                "the volume `{}` holds the database of `{service}`: a copy of its files is no backup of it",
                self.key
            ),
        )
        .with_hint("`cargo xtask db-backup` makes one that is consistent, `cargo xtask db-restore` restores it"))
    }

    /// An error if a running database writes to it: a copy of files that change together is torn.
    pub(crate) fn refuse_running_database(&self, project: &Project) -> Result<()> {
        let containers = self.containers(project)?;
        let model = project.model()?;
        for container in containers.iter().filter(|container| container.status == Status::Running) {
            let Some(service) = model.services.get(&container.service) else { continue };
            let image = repository(service.image.as_deref().unwrap_or(&container.image));
            let engine = ENGINES.iter().find(|engine| {
                let mut targets = self.targets(service);
                let is_its_data = targets.any(|target| is_within(target, engine.data));
                // `/data` alone may be anybody's.
                is_its_data && (engine.images.iter().any(|known| image.contains(known)) || engine.data[0].len() > 8)
            });
            if let Some(Engine { name, copier, .. }) = engine {
                let service = &container.service;
                return Err(Error::new(
                    Exit::Refused,
                    format!("the volume `{}` holds the data of {name}, which runs (`{service}`): a copy of its files would be torn", self.key),
                )
                .with_hint(format!("`cargo xtask stop {service}` first; or copy it by its own means ({copier})")));
            }
        }
        Ok(())
    }

    /// Where a service has it mounted.
    fn targets<'s>(&'s self, service: &'s Service) -> impl Iterator<Item = &'s str> {
        let is_this = |source: &str| source == self.key || source == self.name;
        service
            .volumes
            .iter()
            .filter(move |mount| mount.source.as_deref().is_some_and(is_this))
            .map(|mount| mount.target.as_str())
    }
}

/// `example.com:5000/team/redis-stack:7` is `redis-stack`.
fn repository(image: &str) -> &str {
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    last.split(':').next().unwrap_or(last)
}

fn is_within(target: &str, places: &[&str]) -> bool {
    let below = |place: &str| {
        target.trim_end_matches('/').strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    places.iter().any(|place| below(place))
}

/// Whether a service's `PGDATA` lies in what is mounted there.
fn is_pgdata(service: &Service, target: &str) -> bool {
    let data = service.environment.get("PGDATA").and_then(Option::as_deref);
    data.is_some_and(|data| is_within(data, &[target.trim_end_matches('/')]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_by_where_it_is_mounted() {
        assert!(is_within("/var/lib/postgresql/data", &POSTGRES) && is_within("/var/lib/postgresql/", &POSTGRES));
        assert!(!is_within("/var/lib/postgresql-backups", &POSTGRES));
        assert_eq!(repository("example.com:5000/team/redis-stack:7@sha256:00"), "redis-stack");
        let service: Service = serde_json::from_str(r#"{"environment":{"PGDATA":"/pg/data"}}"#).unwrap();
        assert!(is_pgdata(&service, "/pg") && !is_pgdata(&service, "/backups"));
    }
}
