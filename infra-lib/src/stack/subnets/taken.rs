//! Who has which addresses already.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

use crate::compose::Engine;
use crate::exec::Invocation;
use crate::project::Project;

use super::range::Subnet;

/// An address range in use.
pub(super) struct Taken {
    pub(super) subnet: Subnet,
    /// The Docker network that it belongs to, if it does.
    pub(super) network: Option<String>,
    /// Who has it, in words.
    pub(super) who: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNetwork {
    name: String,
    id: String,
    #[serde(rename = "IPAM")]
    ipam: RawIpam,
    #[serde(default)]
    labels: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawIpam {
    #[serde(default)]
    config: Option<Vec<RawRange>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRange {
    #[serde(default)]
    subnet: String,
}

/// What the engine's networks and this machine's routes take up.
pub(super) fn taken(project: &Project) -> Vec<Taken> {
    let list = Invocation::new("docker").args(["network", "ls", "-q", "--no-trunc"]);
    let ids = project.runner().read(&list).map(|output| output.text()).unwrap_or_default();
    let ids: Vec<String> = ids.lines().map(str::to_owned).collect();
    let networks: Vec<RawNetwork> = project.compose().inspect(project.runner(), "network", &ids).unwrap_or_default();
    let bridges: Vec<String> =
        networks.iter().map(|network| format!("br-{}", network.id.get(..12).unwrap_or_default())).collect();
    let mut taken: Vec<Taken> = networks.into_iter().flat_map(of_network).collect();
    if !Engine::is_remote() {
        let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
        taken.extend(
            routes_of(&routes).filter(|(interface, _)| interface != "docker0" && !bridges.contains(interface)).map(
                |(interface, subnet)| Taken {
                    subnet,
                    network: None,
                    who: format!("this machine's interface {interface}"),
                },
            ),
        );
    }
    taken
}

fn of_network(network: RawNetwork) -> impl Iterator<Item = Taken> {
    let project = network.labels.unwrap_or_default().remove("com.docker.compose.project");
    let who = match project {
        Some(project) => format!("the network {} (project {project})", network.name),
        None => format!("the network {}", network.name),
    };
    let name = network.name;
    network.ipam.config.unwrap_or_default().into_iter().filter_map(move |range| {
        Some(Taken { subnet: Subnet::parse(&range.subnet)?, network: Some(name.clone()), who: who.clone() })
    })
}

/// The destinations of `/proc/net/route`: interface and subnet, both numbers in the machine's byte order. The default
/// route leads everywhere and says nothing about who is there.
fn routes_of(table: &str) -> impl Iterator<Item = (String, Subnet)> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok().map(as_address);
        let (destination, mask) = (number(1)?, number(7)?);
        let subnet = Subnet {
            address: IpAddr::V4(Ipv4Addr::from_bits(destination)),
            bits: u8::try_from(mask.leading_ones()).ok()?,
        };
        (subnet.bits > 0).then(|| (fields[0].to_owned(), subnet))
    })
}

/// The kernel prints the four bytes of an address as one number of this machine.
fn as_address(number: u32) -> u32 {
    u32::from_be_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_but_the_default_one() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     tun0\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let routes: Vec<_> = routes_of(table).collect();
        assert_eq!(routes, [("tun0".to_owned(), Subnet::parse("172.20.0.0/16").unwrap())]);
    }
}
