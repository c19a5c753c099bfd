//! Subnets that the compose files ask for and another network has.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::compose::Model;
use crate::project::Project;

use super::range::Subnet;
use super::taken::{Taken, taken};

/// A subnet that a network of the project wants and another network has or wants too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clash {
    /// The network's name on the engine.
    pub(crate) network: String,
    /// The range that the compose file asks for.
    pub(crate) subnet: String,
    /// Who has it and which range that is, in words.
    pub(crate) holder: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// Whether the network is there already, so that nothing has to be made in the range.
    pub(crate) exists: bool,
}

/// The subnets of these services' networks, or of all, that another network has.
pub(crate) fn clashes(project: &Project, model: &Model, services: Option<&BTreeSet<String>>) -> Vec<Clash> {
    let wanted = wanted(model, services);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut taken = taken(project);
    let there: BTreeSet<String> = taken.iter().filter_map(|by| by.network.clone()).collect();
    let mut clashes = Vec::new();
    for wish in &wanted {
        let by = taken.iter().find(|by| by.network.as_deref() != Some(wish.name) && by.subnet.overlaps(&wish.subnet));
        if let Some(by) = by {
            let variable = project.sources().subnet_variable(wish.key, wish.index);
            let free = free(wish.subnet.bits, &taken, &wanted);
            clashes.push(Clash {
                network: wish.name.to_owned(),
                subnet: wish.subnet.to_string(),
                holder: format!("{} of {}", by.subnet, by.who),
                hint: hint(project, variable.as_deref(), free),
                exists: there.contains(wish.name),
            });
        }
        // What this one takes, the next one cannot have.
        let (network, who) = (Some(wish.name.to_owned()), format!("the network {} of these compose files", wish.name));
        taken.push(Taken { subnet: wish.subnet, network, who });
    }
    clashes
}

/// A subnet that a compose file asks for: which network's, by its key and its name, and its position.
pub(crate) struct Wish<'a> {
    key: &'a str,
    name: &'a str,
    index: usize,
    subnet: Subnet,
}

pub(crate) fn wanted<'a>(model: &'a Model, services: Option<&BTreeSet<String>>) -> Vec<Wish<'a>> {
    let is_used = |key: &str| {
        services.is_none_or(|services| {
            model.services.iter().any(|(name, service)| services.contains(name) && service.networks.contains_key(key))
        })
    };
    let ours = model.networks.iter().filter(|(key, network)| !network.external && is_used(key));
    ours.flat_map(|(key, network)| {
        let subnets = network.subnets().into_iter().enumerate();
        subnets.filter_map(move |(index, text)| {
            Some(Wish { key, name: &network.name, index, subnet: Subnet::parse(&text)? })
        })
    })
    .collect()
}

fn hint(project: &Project, variable: Option<&str>, free: Option<Subnet>) -> String {
    let file = project.environment().own_env_file.file_name().unwrap_or_default();
    match (variable, free) {
        (Some(variable), Some(free)) => format!("set {variable}={free} in {file}: no other network uses that range"),
        (Some(variable), None) => format!("give {variable} another range in {file}"),
        (None, Some(free)) => format!("give it another subnet in the compose file: {free} is free"),
        (None, None) => "give it another subnet in the compose file".to_owned(),
    }
}

/// The first private range of that size that no network has or wants.
fn free(bits: u8, taken: &[Taken], wanted: &[Wish<'_>]) -> Option<Subnet> {
    let bits = bits.clamp(16, 28);
    (16..32u8)
        .rev()
        .map(|second| Subnet { address: IpAddr::V4(Ipv4Addr::new(172, second, 0, 0)), bits })
        .chain((100..250u8).map(|second| Subnet { address: IpAddr::V4(Ipv4Addr::new(10, second, 0, 0)), bits }))
        .find(|subnet| {
            !taken.iter().any(|by| by.subnet.overlaps(subnet))
                && !wanted.iter().any(|wish| wish.subnet.overlaps(subnet))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn a_free_range_is_offered() {
        let by = |text: &str| Taken { subnet: subnet(text), network: None, who: String::new() };
        let taken = [by("172.31.0.0/16"), by("172.30.0.0/24")];
        assert_eq!(free(24, &taken, &[]).unwrap(), subnet("172.29.0.0/24"));
        let wish = Wish { key: "back", name: "shop_back", index: 0, subnet: subnet("172.29.0.0/16") };
        assert_eq!(free(24, &taken, &[wish]).unwrap(), subnet("172.28.0.0/24"));
    }
}
