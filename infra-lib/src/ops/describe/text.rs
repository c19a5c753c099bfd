//! A description for people.

use std::fmt;

use jiff::Timestamp;

use crate::config::{ByteSize, ServicesAxis};
use crate::report::{ago, table};

use super::{DescribedService, Description};

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.addresses_only {
            return self.addresses(f);
        }
        let protected = if self.protected { ", protected" } else { "" };
        writeln!(f, "{} ({}{protected}) in {}", self.project, self.environment, self.root)?;
        if self.services_axis == ServicesAxis::None {
            writeln!(f, "without containers")?;
        }
        if !self.services.is_empty() {
            writeln!(f, "\n{}", table(["SERVICE", "IMAGE", "STATE", "REACHED AT"], self.services.iter().map(row)))?;
        }
        writeln!(f)?;
        for network in &self.networks {
            let kind = [(network.external, "external"), (network.internal, "internal")];
            let kind = kind.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned());
            let notes = kind.chain(network.subnets.iter().cloned()).collect::<Vec<_>>().join(", ");
            writeln!(f, "network       {}{}", network.name, in_brackets(&notes))?;
        }
        for volume in &self.volumes {
            let external = volume.external.then(|| "external".to_owned());
            let notes = external.into_iter().chain(volume.mounts.iter().cloned()).collect::<Vec<_>>().join(", ");
            writeln!(f, "volume        {}{}", volume.name, in_brackets(&notes))?;
        }
        if let Some(database) = &self.database {
            writeln!(f, "database      {} as {} ({})", database.name, database.user, database.place)?;
        }
        if self.database.is_none() && self.problems.is_empty() {
            writeln!(f, "database      none")?;
        }
        match &self.last_backup {
            None => writeln!(f, "last backup   none")?,
            Some(backup) => {
                let name = backup.file.file_name().unwrap_or_default();
                let age = ago(backup.created, Timestamp::now());
                let verified = if backup.verified { ", verified" } else { "" };
                writeln!(f, "last backup   {name} ({age} ago, {}{verified})", ByteSize::new(backup.bytes))?;
            }
        }
        write!(f, "environments  {}", self.environments.join(", "))?;
        for problem in &self.problems {
            write!(f, "\nunknown       {problem}")?;
        }
        Ok(())
    }
}

impl Description {
    fn addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let containers = self.services.iter().flat_map(|service| service.containers.iter().flatten());
        let rows = containers.flat_map(|container| {
            let known = container.addresses.iter().filter(|(_, address)| !address.is_empty());
            known.map(|(network, address)| [container.name.clone(), address.clone(), network.clone()])
        });
        let rows: Vec<_> = rows.collect();
        match (&rows[..], &self.problems[..]) {
            ([], [problem, ..]) => f.write_str(problem),
            ([], []) => f.write_str("no container is running"),
            _ => f.write_str(&table(["CONTAINER", "ADDRESS", "NETWORK"], rows)),
        }
    }
}

fn row(service: &DescribedService) -> [String; 4] {
    let image = match &service.build {
        Some(build) => format!("{} from {build}", service.image),
        None => service.image.clone(),
    };
    let state = match service.containers.as_deref() {
        None => "unknown".to_owned(),
        Some([]) if service.active => "no container".to_owned(),
        Some([]) => format!("off (profile {})", service.profiles.join(", ")),
        Some([one]) => one.state.clone(),
        Some(several) => several.iter().map(|container| container.state.as_str()).collect::<Vec<_>>().join(", "),
    };
    [service.name.clone(), image, state, service.urls.join(", ")]
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
