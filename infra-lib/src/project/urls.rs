//! Addresses of the services, as seen from this machine.

use crate::compose::software::{Protocol, protocol};
use crate::compose::{Port, Service};

use super::Project;

impl Project {
    /// An address for each published port of the wanted services, with the service's name, and the local database's URL
    /// without its password.
    pub(crate) fn urls(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut urls: Vec<String> =
            self.local_database_url().map(|url| format!("database: {url}")).into_iter().collect();
        if let Some(model) = self.has_services().then(|| self.model().ok()).flatten() {
            urls.extend(
                model
                    .services
                    .iter()
                    .filter(|(name, _)| is_wanted(name))
                    .flat_map(|(name, service)| addresses(service).map(move |address| format!("{name}: {address}"))),
            );
        }
        urls
    }
}

/// The published TCP ports of a service as addresses on this machine.
pub(crate) fn addresses(service: &Service) -> impl Iterator<Item = String> {
    service.ports.iter().filter(|port| port.protocol != "udp").filter_map(address)
}

pub(crate) fn address(port: &Port) -> Option<String> {
    // A range is shown as such: which of its ports a container has is known only while it runs.
    let published = port.published.as_deref().filter(|text| !matches!(*text, "" | "0"))?;
    let host = match port.host_ip.as_deref() {
        None | Some("" | "0.0.0.0" | "::" | "127.0.0.1") => "localhost".to_owned(),
        Some(ip) if ip.contains(':') => format!("[{ip}]"),
        Some(ip) => ip.to_owned(),
    };
    Some(match protocol(port.target) {
        Protocol::Https => format!("https://{host}:{published}"),
        Protocol::Other => format!("{host}:{published}"),
        Protocol::Http | Protocol::Unknown => format!("http://{host}:{published}"),
    })
}
