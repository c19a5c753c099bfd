//! Known software by image and port, and the parser of image references.

use super::Service;
use super::dockerfile::Dockerfile;
use super::model::Build;

/// A reference to an image, such as `registry.example.com:5000/team/redis:7@sha256:…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImageRef<'a> {
    /// The registry and the path, without tag and digest.
    path: &'a str,
    pub(crate) tag: Option<&'a str>,
    pub(crate) has_digest: bool,
}

impl<'a> ImageRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let (name, has_digest) = text.split_once('@').map_or((text, false), |(name, _)| (name, true));
        // The port of a registry is not a tag.
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let colon = name[last..].find(':').map(|colon| last + colon);
        let tag = colon.map(|colon| &name[colon + 1..]).filter(|tag| !tag.is_empty());
        Self { path: colon.map_or(name, |colon| &name[..colon]), tag, has_digest }
    }

    /// The last part of the path: `redis`.
    pub(crate) fn repository(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    pub(crate) fn software(&self) -> Option<&'static Software> {
        let repository = self.repository();
        let words: Vec<&str> = repository.split(['-', '_']).collect();
        if words.iter().any(|word| TOOLS.contains(word)) {
            return None;
        }
        let is_it = |image: &&str| {
            repository == *image
                || words.contains(image) && image.len() > 3
                || image.contains('/') && self.path.ends_with(*image)
        };
        SOFTWARE.iter().find(|software| software.images.iter().any(&is_it))
    }
}

/// Software that is commonly run from an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Software {
    pub(crate) name: &'static str,
    /// The repositories of its images. A word in a longer name also matches.
    images: &'static [&'static str],
    /// The port that it listens on.
    pub(crate) port: u16,
    /// The protocol on that port.
    protocol: Protocol,
    /// The folders where its images keep data.
    pub(crate) data: &'static [&'static str],
    /// The tool that copies its data while it runs; `None` if it stores no data for others.
    pub(crate) copier: Option<&'static str>,
}

impl Software {
    /// Whether its image starts a temporary server while it initialises the data, which passes simple checks.
    pub(crate) fn has_temporary_server(&self) -> bool {
        matches!(self.name, "PostgreSQL" | "MySQL" | "MongoDB")
    }
}

/// The protocol on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
    /// Another protocol.
    Other,
    Unknown,
}

/// Words in image names of tools that work with such software.
const TOOLS: [&str; 12] = [
    "exporter",
    "backup",
    "client",
    "meta",
    "rest",
    "bouncer",
    "express",
    "commander",
    "insight",
    "admin",
    "ui",
    "operator",
];

static SOFTWARE: [Software; 11] = [
    Software {
        name: "PostgreSQL",
        images: &[
            "postgres",
            "postgresql",
            "postgis",
            "pgvector",
            "timescaledb",
            "age",
            "citus",
            "paradedb",
            "pgvecto-rs",
            "spilo",
        ],
        port: 5432,
        protocol: Protocol::Other,
        data: &["/var/lib/postgresql", "/bitnami/postgresql", "/home/postgres"],
        copier: Some("pg_dump"),
    },
    Software {
        name: "MySQL",
        images: &["mysql", "mariadb", "percona"],
        port: 3306,
        protocol: Protocol::Other,
        data: &["/var/lib/mysql", "/bitnami/mysql", "/bitnami/mariadb"],
        copier: Some("mysqldump"),
    },
    Software {
        name: "MongoDB",
        images: &["mongo", "mongodb"],
        port: 27017,
        protocol: Protocol::Other,
        data: &["/data/db", "/var/lib/mongodb", "/bitnami/mongodb"],
        copier: Some("mongodump"),
    },
    Software {
        name: "Redis",
        images: &["redis", "valkey", "keydb", "dragonfly"],
        port: 6379,
        protocol: Protocol::Other,
        data: &["/data", "/var/lib/redis", "/bitnami/redis", "/bitnami/valkey"],
        copier: Some("redis-cli --rdb"),
    },
    Software {
        name: "Memcached",
        images: &["memcached"],
        port: 11211,
        protocol: Protocol::Other,
        data: &[],
        copier: Some("a restart fills it again"),
    },
    Software {
        name: "Elasticsearch",
        images: &["elasticsearch", "opensearch"],
        port: 9200,
        protocol: Protocol::Http,
        data: &["/usr/share/elasticsearch/data", "/usr/share/opensearch/data"],
        copier: Some("its snapshots"),
    },
    Software {
        name: "ClickHouse",
        images: &["clickhouse"],
        port: 8123,
        protocol: Protocol::Http,
        data: &["/var/lib/clickhouse"],
        copier: Some("BACKUP … TO"),
    },
    Software {
        name: "Cassandra",
        images: &["cassandra", "scylla"],
        port: 9042,
        protocol: Protocol::Other,
        data: &["/var/lib/cassandra", "/var/lib/scylla"],
        copier: Some("nodetool snapshot"),
    },
    Software {
        name: "SQL Server",
        images: &["mssql", "mssql/server", "azure-sql-edge"],
        port: 1433,
        protocol: Protocol::Other,
        data: &["/var/opt/mssql"],
        copier: Some("BACKUP DATABASE"),
    },
    Software {
        name: "Neo4j",
        images: &["neo4j"],
        port: 7687,
        protocol: Protocol::Other,
        data: &["/var/lib/neo4j"],
        copier: Some("neo4j-admin database backup"),
    },
    Software {
        name: "RabbitMQ",
        images: &["rabbitmq"],
        port: 5672,
        protocol: Protocol::Other,
        data: &["/var/lib/rabbitmq"],
        copier: None,
    },
];

/// Ports commonly used for HTTP, in development and behind proxies.
const HTTP: [u16; 26] = [
    80, 81, 3000, 3001, 3002, 3003, 3333, 4000, 4173, 4200, 4321, 5000, 5173, 5174, 8000, 8001, 8008, 8025, 8080, 8081,
    8082, 8088, 8090, 8888, 9090, 9091,
];
const HTTPS: [u16; 3] = [443, 8443, 9443];
/// SSH, mail and Oracle.
const OTHER: [u16; 3] = [22, 25, 1521];
/// Ports of databases that are not in the table.
const OTHER_DATABASES: [u16; 1] = [1521];

impl Software {
    /// Software that stores data for other services.
    pub(crate) fn databases() -> impl Iterator<Item = &'static Self> {
        SOFTWARE.iter().filter(|software| software.copier.is_some())
    }

    /// The data folders of PostgreSQL's images.
    pub(crate) fn postgres_data() -> &'static [&'static str] {
        Self::databases().find(|software| software.is_postgres()).map_or(&[], |software| software.data)
    }

    fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.is("PostgreSQL")
    }

    pub(crate) fn is_redis(&self) -> bool {
        self.is("Redis")
    }
}

/// The usual protocol of a port inside a container.
pub(crate) fn protocol(port: u16) -> Protocol {
    let known = SOFTWARE.iter().find(|software| software.port == port);
    match port {
        port if HTTPS.contains(&port) => Protocol::Https,
        port if HTTP.contains(&port) => Protocol::Http,
        port if OTHER.contains(&port) => Protocol::Other,
        _ => known.map_or(Protocol::Unknown, |software| software.protocol),
    }
}

/// Whether a database usually listens on this port.
pub(crate) fn is_database_port(port: u16) -> bool {
    OTHER_DATABASES.contains(&port) || Software::databases().any(|it| it.port == port)
}

/// The software in a service's image, or in the image that its own is built on.
pub(crate) fn of_service(service: &Service) -> Option<&'static Software> {
    let known = service.image.as_deref().and_then(|image| ImageRef::parse(image).software());
    known.or_else(|| of_build(service.build.as_ref()?))
}

/// The software that a built image runs: that of its base, unless it runs a program of its own.
fn of_build(build: &Build) -> Option<&'static Software> {
    let file = Dockerfile::of_build(build)?;
    let stages = file.chain(file.stage(build.target.as_deref())?);
    let is_server = |words: &String| is_server(words) || words.contains("entrypoint");
    if !stages.iter().flat_map(|stage| &stage.runs).all(is_server) {
        return None;
    }
    ImageRef::parse(&stages.last()?.base).software()
}

/// Whether a command is the server's own program or only options for it.
fn is_server(command: &str) -> bool {
    ["server", "postgres", "mysqld", "mongod", "[\"-"].iter().any(|word| command.contains(word))
}

/// The repository of a service's image: `redis` in `registry.example.com:5000/team/redis:7@sha256:…`.
pub(crate) fn repository(service: &Service) -> Option<&str> {
    Some(ImageRef::parse(service.image.as_deref()?).repository())
}

/// Whether a service is a database: it has a database's image and runs the server in it. With another command it is a
/// client, such as a migration or backup job.
pub(crate) fn is_database(service: &Service) -> bool {
    of_service(service).is_some_and(|software| software.copier.is_some()) && runs_its_server(service)
}

/// Whether a service runs the program of its image, without another command.
pub(crate) fn runs_its_server(service: &Service) -> bool {
    let own = |key: &str| service.rest.get(key).filter(|value| !value.is_null()).map(ToString::to_string);
    own("entrypoint").is_none() && own("command").is_none_or(|command| is_server(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(json: &str) -> Service {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_image_reference_has_a_repository_a_tag_and_perhaps_a_digest() {
        let parts = |text| {
            let image = ImageRef::parse(text);
            (image.repository(), image.tag, image.has_digest)
        };
        assert_eq!(parts("nginx"), ("nginx", None, false));
        assert_eq!(parts("registry:5000/team/web"), ("web", None, false));
        assert_eq!(parts("registry:5000/team/web:1.2"), ("web", Some("1.2"), false));
        assert_eq!(parts("web:1@sha256:0"), ("web", Some("1"), true));
        assert_eq!(parts("example.com:5000/team/redis-stack:7@sha256:00"), ("redis-stack", Some("7"), true));
    }

    #[test]
    fn the_software_of_an_image_is_known_by_its_repository() {
        let name = |image| ImageRef::parse(image).software().map_or("-", |software| software.name);
        for (image, software) in [
            ("postgres:16", "PostgreSQL"),
            ("r.example.com:5000/x/postgis/postgis:16-3.4@sha256:0", "PostgreSQL"),
            ("timescale/timescaledb-ha:pg16", "PostgreSQL"),
            ("apache/age", "PostgreSQL"),
            ("bitnami/postgresql:16", "PostgreSQL"),
            ("mysql/mysql-server", "MySQL"),
            ("redis/redis-stack-server", "Redis"),
            ("valkey/valkey:8", "Redis"),
            ("clickhouse/clickhouse-server", "ClickHouse"),
            ("mcr.microsoft.com/mssql/server:2022-latest", "SQL Server"),
            ("prom/postgres-exporter", "-"),
            ("mongo-express", "-"),
            ("postgrest/postgrest", "-"),
            ("team/storage", "-"),
            ("node:20", "-"),
        ] {
            assert_eq!(name(image), software, "{image}");
        }
    }

    #[test]
    fn a_database_runs_its_own_server() {
        let database = |json: &str| is_database(&service(json));
        assert!(database(
            r#"{"image":"example.com/postgres:16","command":["postgres","-c","fsync=off"],"entrypoint":null}"#
        ));
        assert!(database(r#"{"image":"redis:7","command":["redis-server","--save",""]}"#));
        assert!(database(r#"{"image":"postgres:16","command":["-c","fsync=off"]}"#));
        assert!(!database(r#"{"image":"postgres:16","command":["psql","-f","seed.sql"]}"#));
        assert!(!database(r#"{"image":"postgres:16","entrypoint":["/backup.sh"]}"#));
        assert!(!database(r#"{"image":"node:20"}"#) && !database(r#"{"image":"rabbitmq:3"}"#));
    }

    #[test]
    fn a_port_speaks_what_is_usual_there() {
        assert_eq!(
            [443, 3000, 5432, 9200, 4711].map(protocol),
            [Protocol::Https, Protocol::Http, Protocol::Other, Protocol::Http, Protocol::Unknown]
        );
        assert!(is_database_port(9200) && is_database_port(1521) && !is_database_port(5672));
    }
}
