//! Ports: which services can be reached from outside.

use crate::compose::Port;
use crate::compose::sources::Place;
use crate::compose::yaml::Tree;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::config::DATABASE_PORT_PUBLISHED;
use crate::report::Severity;

const DATABASE: Rule = Rule {
    code: DATABASE_PORT_PUBLISHED,
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "services reach it without a published port; only attackers come from outside (`127.0.0.1` is not outside)",
    fix: "remove the port in production (`ports: !reset []` in an overlay), or in development write \"127.0.0.1:…\"",
};
const PORT: Rule = Rule {
    code: "port-published",
    development: None,
    production: Some(Severity::Error),
    why: "requests that bypass the proxy bypass its TLS, limits and headers",
    fix: "remove the port and let the proxy pass requests on; `[policy] proxy` names the services that may publish",
};

pub(super) const RULES: &[Rule] = &[DATABASE, PORT];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        let is_database = context.is_database(name, service);
        for port in service.ports.iter().filter(|port| port.published.is_some()) {
            let host = port.published.as_deref().unwrap_or_default();
            let message = format!("port {} is published as {host}", port.target);
            if is_database {
                if context.production || port.is_public() {
                    found.add(&DATABASE, name, place(context, name, port), message);
                }
            } else if !context.is_proxy(name, service) {
                found.add(&PORT, name, place(context, name, port), message);
            }
        }
    }
}

/// The position of the port among the service's ports.
pub(super) fn place(context: &Context<'_>, service: &str, port: &Port) -> Place {
    context.sources.item(service, &["ports"], |tree, item| is_it(context, tree, item, port))
}

fn is_it(context: &Context<'_>, tree: &Tree, item: usize, port: &Port) -> bool {
    let published = port.published.as_deref().unwrap_or_default();
    let (host, inside) = if let Some(text) = tree.text(item) {
        let text = context.filled(text);
        let text = text.split('/').next().unwrap_or_default();
        let (host, inside) = text.rsplit_once(':').unwrap_or(("", text));
        (host.rsplit(':').next().unwrap_or_default().to_owned(), inside.to_owned())
    } else {
        let field = |key| context.field(tree, item, key).unwrap_or_default();
        (field("published"), field("target"))
    };
    covers(&inside, &port.target.to_string()) && (published == host || covers(&host, published) || host.is_empty())
}

/// Whether a port or range includes this one.
fn covers(ports: &str, port: &str) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    match (number(first), number(last), number(port)) {
        (Some(first), Some(last), Some(port)) => (first..=last).contains(&port),
        _ => false,
    }
}
