//! Subnets that the compose files ask for and somebody else has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use crate::compose::Engine;
use crate::exec::Invocation;
use crate::probe::{Check, Snapshot};

const KIND: &str = "subnet";

pub(super) fn look(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let (Some(model), Ok(_)) = (snapshot.model(), snapshot.engine()) else { return Vec::new() };
    let wanted: Vec<(&str, Subnet)> = model
        .networks
        .values()
        .filter(|network| !network.external)
        .flat_map(|network| {
            network.subnets().into_iter().filter_map(|text| Some((network.name.as_str(), Subnet::parse(&text)?)))
        })
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let taken = taken(snapshot);
    let checks: Vec<Check> = wanted
        .iter()
        .filter_map(|(name, subnet)| {
            let by = taken.iter().find(|by| by.network.as_deref() != Some(name) && by.subnet.overlaps(subnet))?;
            Some(clash(name, subnet, by, &taken))
        })
        .collect();
    if checks.is_empty() {
        return vec![Check::ok(
            KIND,
            "networks",
            format!("{} declared subnets are free or this project's own", wanted.len()),
        )];
    }
    checks
}

fn clash(name: &str, subnet: &Subnet, by: &Taken, taken: &[Taken]) -> Check {
    let check = Check::fail(KIND, name, format!("{subnet} overlaps {} of {}", by.subnet, by.who));
    match free(subnet.bits, taken) {
        Some(free) => check.with_hint(format!("give it another subnet in the compose file: {free} is free")),
        None => check.with_hint("give it another subnet in the compose file"),
    }
}

/// An address range in use.
struct Taken {
    subnet: Subnet,
    /// The Docker network that it belongs to, if it does.
    network: Option<String>,
    who: String,
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

fn taken(snapshot: &Snapshot<'_>) -> Vec<Taken> {
    let runner = snapshot.project.runner();
    let read = |call: &Invocation| runner.read(call).ok();
    let ids =
        read(&Invocation::new("docker").args(["network", "ls", "-q"])).map(|output| output.text()).unwrap_or_default();
    let inspect = Invocation::new("docker").args(["network", "inspect"]).args(ids.lines().map(str::to_owned));
    let networks: Vec<RawNetwork> =
        read(&inspect).and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default();
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

/// The first private range of that size that nobody has.
fn free(bits: u8, taken: &[Taken]) -> Option<Subnet> {
    let bits = bits.clamp(16, 28);
    (16..32u8)
        .rev()
        .map(|second| Subnet { address: IpAddr::V4(Ipv4Addr::new(172, second, 0, 0)), bits })
        .chain((100..250u8).map(|second| Subnet { address: IpAddr::V4(Ipv4Addr::new(10, second, 0, 0)), bits }))
        .find(|subnet| !taken.iter().any(|by| by.subnet.overlaps(subnet)))
}

/// An address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    address: IpAddr,
    bits: u8,
}

impl Subnet {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn overlaps(&self, other: &Self) -> bool {
        let bits = self.bits.min(other.bits);
        match (self.address, other.address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                prefix(u128::from(a.to_bits()), 32, bits) == prefix(u128::from(b.to_bits()), 32, bits)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                prefix(Ipv6Addr::to_bits(a), 128, bits) == prefix(Ipv6Addr::to_bits(b), 128, bits)
            }
            _ => false,
        }
    }
}

fn prefix(address: u128, width: u8, bits: u8) -> u128 {
    address.checked_shr(u32::from(width - bits)).unwrap_or(0)
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        assert!(subnet("172.20.0.0/24").overlaps(&subnet("172.20.0.0/16")));
        assert!(subnet("172.28.0.0/16").overlaps(&subnet("172.28.5.0/24")));
        assert!(!subnet("172.20.0.0/24").overlaps(&subnet("172.20.1.0/24")));
        assert!(subnet("fd00::/64").overlaps(&subnet("fd00::1:0/112")));
        assert!(!subnet("fd00::/64").overlaps(&subnet("172.20.0.0/16")));
        assert_eq!(Subnet::parse("172.20.0.0/64"), None);
        assert_eq!(Subnet::parse(""), None);
    }

    #[test]
    fn routes_are_read_but_the_default_one() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     tun0\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let routes: Vec<_> = routes_of(table).collect();
        assert_eq!(routes, [("tun0".to_owned(), subnet("172.20.0.0/16"))]);
    }

    #[test]
    fn a_free_range_is_offered() {
        let by = |text: &str| Taken { subnet: subnet(text), network: None, who: String::new() };
        assert_eq!(free(24, &[by("172.31.0.0/16"), by("172.30.0.0/24")]).unwrap(), subnet("172.29.0.0/24"));
    }
}
