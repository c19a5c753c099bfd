//! Where the services can be reached from this machine.

use crate::compose::{Port, Service};

use super::Project;

/// Ports whose protocol is not HTTP; they are shown as plain addresses.
const NOT_HTTP: [u16; 9] = [22, 25, 1433, 3306, 5432, 5672, 6379, 11211, 27017];

impl Project {
    /// An address for each published port of the services that are on, with the service's name; and the local
    /// database's, without its password.
    pub(crate) fn urls(&self) -> Vec<String> {
        let mut urls: Vec<String> =
            self.local_database_url().map(|url| format!("database: {url}")).into_iter().collect();
        if let Some(model) = self.has_services().then(|| self.model().ok()).flatten() {
            let active = model.active(&self.environment().profiles);
            urls.extend(
                active
                    .into_iter()
                    .flat_map(|(name, service)| addresses(service).map(move |address| format!("{name}: {address}"))),
            );
        }
        urls
    }
}

/// The published TCP ports of a service, as somebody on this machine would type them.
pub(crate) fn addresses(service: &Service) -> impl Iterator<Item = String> {
    service.ports.iter().filter(|port| port.protocol != "udp").filter_map(address)
}

pub(crate) fn address(port: &Port) -> Option<String> {
    let published = port.host_port()?;
    let host = match port.host_ip.as_deref() {
        None | Some("" | "0.0.0.0" | "::" | "127.0.0.1" | "::1") => "localhost",
        Some(ip) => ip,
    };
    Some(match port.target {
        443 | 8443 => format!("https://{host}:{published}"),
        target if NOT_HTTP.contains(&target) => format!("{host}:{published}"),
        _ => format!("http://{host}:{published}"),
    })
}
