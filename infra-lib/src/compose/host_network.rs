//! Ports of services that use the network of this machine: Compose publishes none, and every one is reachable.

use serde_json::Value;

use super::model::{Port, Service};
use super::software;

/// Adds the ports that such a service listens on, as far as the files and the known software say, as published.
pub(super) fn add_ports(service: &mut Service) {
    if service.rest.get("network_mode").and_then(Value::as_str) != Some("host") || !service.ports.is_empty() {
        return;
    }
    let exposed = service.rest.get("expose").and_then(Value::as_array).into_iter().flatten();
    let text = |port: &Value| port.as_str().map_or_else(|| port.to_string(), str::to_owned);
    let mut targets: Vec<u16> = exposed.filter_map(|port| text(port).split('/').next()?.parse().ok()).collect();
    if targets.is_empty() && software::runs_its_server(service) {
        targets.extend(software::of_service(service).map(|software| software.port));
    }
    let published =
        |target: u16| Port { host_ip: None, target, published: Some(target.to_string()), protocol: "tcp".to_owned() };
    service.ports = targets.into_iter().map(published).collect();
}
