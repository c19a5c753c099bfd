//! The size of the volumes.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::exec::Invocation;

use super::{Check, PROGRAM, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "volumes";

struct Volumes(BTreeSet<String>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    name: String,
    size: String,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mounted = snapshot.containers.iter().flatten().flat_map(|container| container.volumes.iter().cloned());
    let mounted: BTreeSet<String> = mounted.collect();
    if mounted.is_empty() { Vec::new() } else { vec![Box::new(Volumes(mounted))] }
}

impl Probe for Volumes {
    fn target(&self) -> String {
        "volumes".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        // The engine measures all its volumes, which takes long if there are many.
        let call =
            Invocation::new("docker").args(["system", "df", "-v", "--format", "{{json .Volumes}}"]).deadline(PROGRAM);
        let all = match snapshot.project.runner().read(&call) {
            Ok(output) => serde_json::from_slice::<Vec<Usage>>(&output.stdout).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        vec![match all {
            Ok(all) => {
                let ours = all.into_iter().filter(|volume| self.0.contains(&volume.name));
                let sizes = ours.map(|volume| format!("{} {}", shorten(&volume.name), volume.size));
                Check::ok(KIND, self.target(), sizes.collect::<Vec<_>>().join(", "))
            }
            Err(error) => Check::skip(KIND, self.target(), one_line(&error)),
        }]
    }
}

/// The name of a volume without one is 64 hexadecimal digits.
fn shorten(name: &str) -> &str {
    let anonymous = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if anonymous { &name[..12] } else { name }
}
