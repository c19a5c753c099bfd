//! The services' published ports, and their probable protocols.

use std::collections::BTreeMap;

use crate::compose::software::{self, Protocol, runs_its_server};
use crate::compose::{Container, Engine, Service};

use super::Snapshot;

/// A TCP port of a running container, published on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) service: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// The port inside.
    pub(super) target: u16,
}

/// The probable protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    Http,
    Https,
    Redis,
    Unknown,
}

impl Published {
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn speaks(&self, service: &Service) -> Speaks {
        if is_redis(service) {
            return Speaks::Redis;
        }
        let checked = health_url(service).is_some_and(|url| url.port == self.target);
        match software::protocol(self.target) {
            Protocol::Https => Speaks::Https,
            Protocol::Http => Speaks::Http,
            _ if checked => Speaks::Http,
            _ => Speaks::Unknown,
        }
    }
}

/// The published TCP ports of the running containers, each once.
pub(super) fn published<'s>(snapshot: &'s Snapshot<'_>) -> Vec<(&'s Service, Published)> {
    // Those of a remote engine are on its machine, whose address says nothing about who may reach it.
    if Engine::is_remote() {
        return Vec::new();
    }
    snapshot
        .running()
        .flat_map(|(service, container)| published_by(container).into_iter().map(move |port| (service, port)))
        .collect()
}

/// The engine lists a port of every address for IPv4 and IPv6.
fn published_by(container: &Container) -> Vec<Published> {
    let mut found = BTreeMap::new();
    for entry in &container.ports {
        let parsed = entry.split_once("->").and_then(|(host, target)| {
            let (ip, port) = host.rsplit_once(':')?;
            Some((ip, port.parse().ok()?, target.strip_suffix("/tcp")?.parse().ok()?))
        });
        let Some((ip, port, target)) = parsed else { continue };
        let host = match ip.trim_matches(['[', ']']) {
            "" | "0.0.0.0" | "::" | "127.0.0.1" => "localhost".to_owned(),
            ip if ip.contains(':') => format!("[{ip}]"),
            ip => ip.to_owned(),
        };
        found.entry((port, target)).or_insert(Published { service: container.service.clone(), host, port, target });
    }
    found.into_values().collect()
}

/// The URL that a service's health check requests inside its container.
pub(crate) struct HealthUrl {
    pub(super) port: u16,
    pub(super) path: String,
}

pub(crate) fn health_url(service: &Service) -> Option<HealthUrl> {
    let check = service.healthcheck.as_ref().filter(|check| !check.disable)?;
    let words: Vec<&str> = match &check.test {
        serde_json::Value::Array(words) => words.iter().filter_map(serde_json::Value::as_str).collect(),
        serde_json::Value::String(text) => vec![text],
        _ => return None,
    };
    let text = words.join(" ");
    let (_, rest) = text.split_once("http://")?;
    let end = rest.find(|c: char| c.is_whitespace() || "'\"`|;)<>\\".contains(c)).unwrap_or(rest.len());
    let (authority, path) = rest[..end].split_once('/').unwrap_or((&rest[..end], ""));
    let port = match authority.rsplit_once(':') {
        // `$PORT` of the container's shell is unknown here.
        Some((_, port)) => port.parse().ok()?,
        None => 80,
    };
    let path = if path.contains('$') { "" } else { path };
    Some(HealthUrl { port, path: format!("/{path}") })
}

pub(crate) fn is_redis(service: &Service) -> bool {
    software::of_service(service).is_some_and(software::Software::is_redis)
}

/// The port on which a service probably listens inside.
pub(crate) fn inner_port(service: &Service) -> Option<u16> {
    let exposed = service.rest.get("expose").and_then(serde_json::Value::as_array).into_iter().flatten();
    let exposed = exposed.filter_map(|port| {
        let text = port.as_str().map_or_else(|| port.to_string(), str::to_owned);
        text.strip_suffix("/tcp").unwrap_or(&text).parse().ok()
    });
    let has_pg_check = service.healthcheck.as_ref().is_some_and(|check| check.test.to_string().contains("pg_isready"));
    let usual = match software::of_service(service) {
        _ if !runs_its_server(service) => None,
        Some(software) if !software.is_postgres() => Some(software.port),
        None if !has_pg_check => None,
        _ => Some(crate::postgres::server_port(service)),
    };
    usual
        .or(health_url(service).map(|url| url.port))
        .or_else(|| service.ports.iter().find(|port| port.protocol != "udp").map(|port| port.target))
        .or_else(|| exposed.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::snapshot::tests::container;

    fn service(json: &str) -> Service {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_port_is_found_once_and_its_protocol_guessed() {
        let mut web = container("web");
        web.ports = ["0.0.0.0:4711->3000/tcp", ":::4711->3000/tcp", "127.0.0.1:53->53/udp", "10.0.0.1:9->9/tcp"]
            .map(str::to_owned)
            .into();
        let ports = published_by(&web);
        let addresses: Vec<_> = ports.iter().map(Published::address).collect();
        assert_eq!(addresses, ["10.0.0.1:9", "localhost:4711"]);
        assert_eq!(ports[1].speaks(&service("{}")), Speaks::Http);
        assert_eq!(ports[0].speaks(&service("{}")), Speaks::Unknown);
        let checked = service(r#"{"healthcheck":{"test":["CMD","wget","http://localhost:9/"]}}"#);
        assert_eq!(ports[0].speaks(&checked), Speaks::Http);
    }

    #[test]
    fn each_published_port_is_asked_in_its_own_way() {
        use crate::probe::snapshot::tests::in_stack;
        let model = r#"{"name":"x","services":{"proxy":{},"cache":{"image":"redis:7"},"mail":{}}}"#;
        let with = |service: &str, ports: &[&str]| {
            let mut container = container(service);
            container.ports = ports.iter().map(|&port| port.to_owned()).collect();
            container
        };
        let containers = vec![
            with("proxy", &["0.0.0.0:80->8080/tcp", "0.0.0.0:443->8443/tcp"]),
            with("cache", &["127.0.0.1:6379->6379/tcp"]),
            with("mail", &["127.0.0.1:25->25/tcp"]),
        ];
        in_stack("", model, containers, |snapshot| {
            let plans =
                [crate::probe::http::plan, crate::probe::tls::plan, crate::probe::redis::plan, crate::probe::tcp::plan];
            let targets =
                plans.map(|plan| plan(snapshot).iter().map(|probe| probe.target()).collect::<Vec<_>>().join(" "));
            assert_eq!(targets, ["proxy proxy", "proxy", "cache", "mail"]);
        });
    }

    #[test]
    fn the_url_of_a_health_check_is_read() {
        let url = |test: &str| health_url(&service(&format!(r#"{{"healthcheck":{{"test":{test}}}}}"#)));
        let found = url(r#"["CMD-SHELL","curl -f http://localhost:3000/health || exit 1"]"#).unwrap();
        assert_eq!((found.port, found.path.as_str()), (3000, "/health"));
        let found = url(r#"["CMD","bun","-e","fetch('http://127.0.0.1:8080/x?y=1').then(r=>0)"]"#).unwrap();
        assert_eq!((found.port, found.path.as_str()), (8080, "/x?y=1"));
        assert_eq!(url(r#""curl http://localhost""#).unwrap().port, 80);
        assert!(url(r#""curl http://localhost:$PORT/""#).is_none());
        assert!(url(r#"["CMD","pg_isready"]"#).is_none());
    }

    #[test]
    fn the_inner_port_follows_from_image_check_and_exposure() {
        assert_eq!(inner_port(&service(r#"{"image":"r.example.com:5000/x/postgres:16"}"#)), Some(5432));
        assert_eq!(inner_port(&service(r#"{"image":"valkey/valkey:8"}"#)), Some(6379));
        assert_eq!(inner_port(&service(r#"{"image":"x","expose":["3000"]}"#)), Some(3000));
        assert_eq!(inner_port(&service(r#"{"image":"x"}"#)), None);
    }
}
