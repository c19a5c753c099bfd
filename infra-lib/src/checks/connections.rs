//! How services connect to the database and similar servers: a wrong host, port, name, user or password is seen before
//! any of them tries.

use crate::compose::Service;
use crate::postgres::{Database, Place};
use crate::probe::{Check, Snapshot};

const KIND: &str = "connection";

/// The separators between a program's name and the setting, in the names of variables.
const PREFIXES: [&str; 9] =
    ["DB_", "DATABASE_", "POSTGRES_", "POSTGRESQL_", "PG_", "PG", "DB_POSTGRES_", "SPRING_DATASOURCE_", "PGSQL_"];
/// URLs of servers; those of pages are for a browser, for which localhost is right.
const SCHEMES: [&str; 10] = [
    "postgres",
    "postgresql",
    "jdbc:postgresql",
    "postgresql+asyncpg",
    "postgresql+psycopg",
    "redis",
    "rediss",
    "amqp",
    "mongodb",
    "mysql",
];
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "::1", "0.0.0.0"];

/// The connection settings of a service for one server, as far as they are set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// The variables that set it.
    keys: Vec<String>,
    scheme: String,
    host: Option<String>,
    port: Option<String>,
    name: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    if snapshot.services.is_empty() {
        return Vec::new();
    }
    let database = snapshot.project.database().ok();
    let own = database.as_ref().and_then(|database| match &database.place {
        Place::Service { service, .. } => Some((database, service.as_str())),
        _ => None,
    });
    let mut checks = Vec::new();
    let mut users = 0;
    for (name, service) in &snapshot.services {
        if own.is_some_and(|(_, database)| database == *name) {
            continue;
        }
        let mut told = urls(service);
        told.extend(parts(service));
        for told in told {
            users += 1;
            let found = where_to(snapshot, name, &told).or_else(|| {
                let (database, at) = own.filter(|(_, at)| told.is_postgres() && told.host.as_deref() == Some(*at))?;
                who(name, &told, database).or_else(|| order(snapshot, name, service, at))
            });
            checks.extend(found);
        }
    }
    if checks.is_empty() && users > 0 {
        checks.push(Check::ok(KIND, "services", "they use the right hosts, ports and users"));
    }
    checks
}

impl Told {
    fn is_postgres(&self) -> bool {
        self.scheme.contains("postgres")
    }

    fn by(&self) -> String {
        self.keys.join(", ")
    }
}

/// The servers that a service gets by URL.
fn urls(service: &Service) -> Vec<Told> {
    let values = service.environment.iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
    values.filter_map(|(key, value)| url(key, value)).collect()
}

fn url(key: &str, value: &str) -> Option<Told> {
    let plain = value.strip_prefix("jdbc:").unwrap_or(value);
    let url = url::Url::parse(plain).ok().filter(|_| SCHEMES.iter().any(|scheme| begins(value, scheme)))?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // A password with `%` is written in another way; what it says would have to be decoded to be compared.
    let password = url.password().and_then(some).filter(|password| !password.contains('%'));
    Some(Told {
        keys: vec![key.to_owned()],
        scheme: url.scheme().to_owned(),
        host: url.host_str().and_then(|host| some(host.trim_matches(['[', ']']))),
        port: url.port().map(|port| port.to_string()),
        name: some(url.path().trim_start_matches('/')),
        user: some(url.username()),
        password,
    })
}

fn begins(value: &str, scheme: &str) -> bool {
    value.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://"))
}

/// The database that a service gets in parts: `DB_HOST`, `DB_PORT`…
fn parts(service: &Service) -> Option<Told> {
    PREFIXES.iter().find_map(|prefix| {
        let get = |ends: &[&str]| {
            ends.iter().find_map(|end| {
                let key = format!("{prefix}{end}");
                let value = service.environment.get(&key)?.clone().filter(|value| !value.is_empty())?;
                Some((key, value))
            })
        };
        let (key, host) = get(&["HOST", "SERVER", "HOSTNAME"])?;
        let mut told = Told { keys: vec![key], scheme: "postgres".to_owned(), host: Some(host), ..Told::default() };
        let mut take = |ends: &[&str]| {
            let (key, value) = get(ends)?;
            told.keys.push(key);
            Some(value)
        };
        let port = take(&["PORT"]);
        let name = take(&["NAME", "DB", "DATABASE"]);
        let user = take(&["USER", "USERNAME"]);
        let password = take(&["PASSWORD", "PASS"]);
        Some(Told { port, name, user, password, ..told })
    })
}

/// A host that is wrong inside a container.
fn where_to(snapshot: &Snapshot<'_>, service: &str, told: &Told) -> Option<Check> {
    let host = told.host.as_deref()?;
    let by = told.by();
    if LOOPBACK.contains(&host) {
        let mut others = snapshot.services.keys().filter(|name| **name != service);
        let likely = others.find(|name| looks_like(snapshot, name, &told.scheme));
        let better = likely.map_or_else(|| "the name of the service".to_owned(), |name| format!("`{name}`"));
        return Some(
            Check::fail(KIND, service, format!("{by} says {host}, which is the container itself inside a container"))
                .with_hint(format!("write {better} as host (for a server on this machine: host.docker.internal)")),
        );
    }
    let model = snapshot.model()?;
    let Some((name, target)) = model.services.iter().find(|(name, service)| *name == host || is_alias(service, host))
    else {
        // A name with a dot is external, as are names on a network outside this stack.
        let outside = host.contains('.')
            || host == "host.docker.internal"
            || model.networks.values().any(|network| network.external);
        return (!outside).then(|| {
            let hint = crate::suggest::hint("services", host, model.services.keys().map(String::as_str));
            Check::fail(KIND, service, format!("{by} says {host}, but no service has that name")).with_hint(hint)
        });
    };
    if !snapshot.services.contains_key(name.as_str()) {
        let environment = &snapshot.project.environment().name;
        return Some(
            Check::fail(
                KIND,
                service,
                format!("{by} says {host}, but that service is off in environment `{environment}`"),
            )
            .with_hint("switch its profile on, or name another server"),
        );
    }
    let own = model.services.get(service)?;
    if !own.networks.is_empty()
        && !target.networks.is_empty()
        && !own.networks.keys().any(|network| target.networks.contains_key(network))
    {
        return Some(
            Check::fail(KIND, service, format!("{by} says {host}, but they have no network in common"))
                .with_hint(format!("add a network of `{name}` to `networks` of `{service}` in the compose file")),
        );
    }
    let port: u16 = told.port.as_deref()?.parse().ok()?;
    let published =
        target.ports.iter().find(|published| published.host_port() == Some(port) && published.target != port)?;
    Some(
        Check::fail(KIND, service, format!("{by} says port {port} of {host}, which is its port on this machine"))
            .with_hint(format!("between services it is {}", published.target)),
    )
}

fn is_alias(service: &Service, host: &str) -> bool {
    let text = |key: &str| service.rest.get(key).and_then(serde_json::Value::as_str);
    let aliases = service.networks.values().filter_map(|network| network.get("aliases")?.as_array()).flatten();
    service.container_name.as_deref() == Some(host)
        || text("hostname") == Some(host)
        || aliases.filter_map(serde_json::Value::as_str).any(|alias| alias == host)
}

/// Whether a service is probably a server for this protocol.
fn looks_like(snapshot: &Snapshot<'_>, name: &str, scheme: &str) -> bool {
    let Some(service) = snapshot.services.get(name) else { return false };
    let repository = crate::compose::software::repository(service).unwrap_or_default();
    let wanted = scheme
        .trim_start_matches("jdbc:")
        .split('+')
        .next()
        .unwrap_or_default()
        .trim_end_matches("ql")
        .trim_end_matches('s');
    repository.contains(wanted) || name.contains(wanted)
}

/// Another user, password or name than those of the project's database.
fn who(service: &str, told: &Told, database: &Database) -> Option<Check> {
    let by = told.by();
    let differs = |told: &Option<String>, own: &str| told.as_deref().is_some_and(|told| told != own);
    let explain = "`cargo xtask env explain` says where each value comes from";
    if differs(&told.name, &database.name) {
        let detail = format!(
            "{by} names the database {}, but the server was created with {}",
            told.name.as_deref().unwrap_or_default(),
            database.name
        );
        return Some(Check::warn(KIND, service, detail).with_hint(explain));
    }
    if differs(&told.user, &database.user) {
        let detail = format!(
            "{by} logs in as {}, but the server was created with {}",
            told.user.as_deref().unwrap_or_default(),
            database.user
        );
        return Some(
            Check::warn(KIND, service, detail)
                .with_hint(format!("correct if an init script creates that role; {explain}")),
        );
    }
    let own = database.password.as_ref().map(crate::secret::Secret::expose)?;
    differs(&told.password, own).then(|| {
        Check::fail(KIND, service, format!("{by} has a different password than the database"))
            .with_hint(format!("take both from the same variable; {explain}"))
    })
}

/// Whether it waits for the database.
fn order(snapshot: &Snapshot<'_>, service: &str, declared: &Service, database: &str) -> Option<Check> {
    if declared.depends_on.contains_key(database) {
        return None;
    }
    // It may wait indirectly, through another service.
    let through = declared.depends_on.keys().any(|name| {
        snapshot.services.get(name.as_str()).is_some_and(|service| service.depends_on.contains_key(database))
    });
    (!through).then(|| {
        Check::warn(KIND, service, format!("uses {database} but does not wait for it: the start order is random"))
            .with_hint(format!("write `depends_on: {{{database}: {{condition: service_healthy}}}}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_stack;

    fn checks_of(environment: &str, more: &str) -> Vec<Check> {
        let model = format!(
            r#"{{"name":"x","networks":{{"back":{{"name":"x_back"}},"front":{{"name":"x_front"}}}},"services":{{
            "api":{{"environment":{environment},"networks":{{"back":null}},"depends_on":{{"db":{{"condition":"service_healthy"}}}}{more}}},
            "cache":{{"image":"redis:7","networks":{{"back":null}}}},
            "far":{{"image":"postgres:15","networks":{{"front":null}},"environment":{{}}}},
            "db":{{"image":"postgres:16","networks":{{"back":{{"aliases":["store"]}}}},"ports":[{{"target":5432,"published":"15432","protocol":"tcp"}}],
                "volumes":[{{"type":"volume","source":"d","target":"/var/lib/postgresql/data"}}],
                "environment":{{"POSTGRES_USER":"app","POSTGRES_PASSWORD":"k9","POSTGRES_DB":"shop"}}}}}}}}"#
        );
        let mut found = Vec::new();
        in_stack("[database]\nservice = \"db\"\n", &model, vec![], |snapshot| found = check(snapshot));
        found
    }

    #[test]
    fn database_connection_errors_verify_environment_variables() {
        let failed = |environment: &str, what: &str| {
            let checks = checks_of(environment, "");
            assert!(
                matches!(&checks[..], [only] if only.status >= Verdict::Warn && only.detail.contains(what)),
                "{environment}: {checks:?}"
            );
            assert!(checks[0].hint.is_some() && !format!("{checks:?}").contains("k9"));
        };
        let right = |environment: &str| {
            let checks = checks_of(environment, "");
            assert!(matches!(&checks[..], [only] if only.status == Verdict::Ok), "{environment}: {checks:?}");
        };
        failed(r#"{"DATABASE_URL":"postgres://app:k9@localhost:5432/shop"}"#, "the container itself");
        failed(r#"{"DB_HOST":"127.0.0.1"}"#, "the container itself");
        failed(r#"{"DB_HOST":"dbb","DB_PORT":"5432"}"#, "no service has that name");
        failed(r#"{"REDIS_URL":"redis://localhost:6379"}"#, "the container itself");
        failed(r#"{"DB_HOST":"far"}"#, "no network in common");
        failed(r#"{"DB_HOST":"db","DB_PORT":"15432"}"#, "its port on this machine");
        right(r#"{"DB_HOST":"db","DB_PORT":"5432","DB_USER":"app","DB_PASSWORD":"k9","DB_NAME":"shop"}"#);
        right(
            r#"{"DATABASE_URL":"postgresql://app:k9@db:5432/shop?sslmode=disable","REDIS_URL":"redis://cache:6379/0"}"#,
        );
        right(r#"{"DB_HOST":"store"}"#);
        right(r#"{"DB_HOST":"db.example.com"}"#);
        assert_eq!(checks_of(r#"{"VITE_API_URL":"http://localhost:3000"}"#, ""), [], "that one is for the browser");
    }

    #[test]
    fn urls_are_taken_apart() {
        let url = url("U", "jdbc:postgresql://db:5432/shop?user=x").unwrap();
        assert_eq!(
            (url.host.as_deref(), url.port.as_deref(), url.name.as_deref(), url.user.as_deref()),
            (Some("db"), Some("5432"), Some("shop"), None)
        );
        let six = super::url("U", "postgres://a:b@[::1]:5432/c").unwrap();
        assert_eq!((six.host.as_deref(), six.password.as_deref()), (Some("::1"), Some("b")));
    }
}
