//! Networks, and their traffic.

use url::Url;

use crate::compose::Service;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const INTERNAL: Rule = Rule {
    code: "database-network-open",
    development: None,
    production: Some(Severity::Error),
    why: "on a network with outside access, a compromised database can send everything away",
    fix: "put it alone with those that use it on a network with `internal: true`",
};
const TLS: Rule = Rule {
    code: "tls-missing",
    development: None,
    production: Some(Severity::Error),
    why: "anyone on the way can read passwords and sessions",
    fix: "let the proxy listen on 443 with a certificate, and send port 80 there",
};
const DATABASE_TLS: Rule = Rule {
    code: "database-tls",
    development: None,
    production: Some(Severity::Error),
    why: "on the way to another machine, others can read or redirect the password and all data",
    fix: "add `?sslmode=verify-full`, or at least `require`, to the URL",
};

pub(super) const RULES: &[Rule] = &[INTERNAL, TLS, DATABASE_TLS];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    let services = context.services();
    for (name, service) in &services {
        if context.is_database(name, service) {
            let open: Vec<&str> = networks(service)
                .filter(|name| !context.model.networks.get(*name).is_some_and(|network| network.internal))
                .collect();
            if !open.is_empty() {
                let message = format!("it is on {}, which has outside access", open.join(", "));
                found.add(&INTERNAL, *name, context.sources.place(name, &["networks"]), message);
            }
        }
        for (key, value) in &service.environment {
            if value.as_deref().is_some_and(|value| is_plain(context, value)) {
                let message = format!("{key} names a server elsewhere without TLS");
                found.add(&DATABASE_TLS, *name, context.sources.pair(name, &["environment"], key), message);
            }
        }
    }
    let is_tls = |port: &crate::compose::Port| matches!(port.target, 443 | 8443) || port.host_port() == Some(443);
    let ports = || services.values().flat_map(|service| &service.ports).filter(|port| port.published.is_some());
    if ports().any(is_tls) {
        return;
    }
    for (name, service) in services.iter().filter(|(name, service)| context.is_proxy(name, service)) {
        if service.ports.iter().any(|port| port.published.is_some()) {
            found.add(&TLS, *name, context.sources.place(name, &["ports"]), "it publishes no port for HTTPS");
        }
    }
}

/// The networks of a service; Compose assigns `default` if it names none.
fn networks(service: &Service) -> impl Iterator<Item = &str> {
    let alone = service.rest.get("network_mode").is_some_and(serde_json::Value::is_string);
    let default = (service.networks.is_empty() && !alone).then_some("default");
    service.networks.keys().map(String::as_str).chain(default)
}

/// Whether a URL leads to a PostgreSQL server that is none of our services, and may do so without TLS.
fn is_plain(context: &Context<'_>, value: &str) -> bool {
    let Ok(url) = Url::parse(value.strip_prefix("jdbc:").unwrap_or(value)) else { return false };
    if !(url.scheme().starts_with("postgres") || url.scheme().starts_with("postgis")) {
        return false;
    }
    if !url.host_str().is_some_and(|host| !host.is_empty() && !is_near(context, host)) {
        return false;
    }
    let setting = |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
    let demanded = setting("ssl").is_some_and(|value| value == "true");
    !demanded && !matches!(setting("sslmode").as_deref(), Some("require" | "verify-ca" | "verify-full"))
}

/// Our own services, by name or alias, and this machine.
fn is_near(context: &Context<'_>, host: &str) -> bool {
    let alias = |service: &Service| {
        let lists = service.networks.values().filter_map(|network| network.get("aliases")?.as_array());
        lists.flatten().any(|alias| alias.as_str() == Some(host))
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        || context.model.services.contains_key(host)
        || context.model.services.values().any(alias)
}
