//! What a container may do to the kernel, to its own files and to this machine.

use serde_json::Value;

use crate::compose::Service;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const WRITABLE_ROOT: Rule = Rule {
    code: "root-filesystem-writable",
    development: None,
    production: Some(Severity::Warning),
    why: "an intruder who cannot write cannot stay",
    fix: "`read_only: true`, with `tmpfs: [/tmp]` for what must be written",
};
const NEW_PRIVILEGES: Rule = Rule {
    code: "new-privileges",
    development: None,
    production: Some(Severity::Error),
    why: "a setuid program in the image gives more rights than the container began with",
    fix: "`security_opt: [no-new-privileges:true]`",
};
const CAPABILITIES: Rule = Rule {
    code: "capabilities-kept",
    development: None,
    production: Some(Severity::Warning),
    why: "Docker leaves fourteen of root's rights, of which a service on a high port needs none",
    fix: "`cap_drop: [ALL]`, and `cap_add` for what is needed",
};
const DANGEROUS: Rule = Rule {
    code: "capability-dangerous",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "with it a container can escape, or read data that belongs to others",
    fix: "take it out of `cap_add`",
};
const PRIVILEGED: Rule = Rule {
    code: "privileged",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "a privileged container is root on this machine",
    fix: "take `privileged` out, and add the one device or capability that is needed",
};
const UNCONFINED: Rule = Rule {
    code: "security-unconfined",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "seccomp, AppArmor and SELinux stop what the kernel's faults would allow",
    fix: "take `unconfined` or `disable` out of `security_opt`",
};
const HOST_NETWORK: Rule = Rule {
    code: "host-network",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the container is on every network of this machine, and on its loopback",
    fix: "take `network_mode: host` out, and publish what must be reached",
};
const HOST_NAMESPACE: Rule = Rule {
    code: "host-namespace",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the container sees this machine's processes or memory, and may signal or read them",
    fix: "take `pid: host`, `ipc: host`, `userns_mode: host` and `uts: host` out",
};

pub(super) const RULES: &[Rule] =
    &[WRITABLE_ROOT, NEW_PRIVILEGES, CAPABILITIES, DANGEROUS, PRIVILEGED, UNCONFINED, HOST_NETWORK, HOST_NAMESPACE];

/// Capabilities that allow leaving the container, or reaching everything on the network.
const OUT: [&str; 11] = [
    "ALL",
    "SYS_ADMIN",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_BOOT",
    "SYS_TIME",
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "BPF",
    "MAC_ADMIN",
];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        let place = |key: &str| context.sources.place(name, &[key]);
        if !is_true(service, "read_only") {
            found.add(&WRITABLE_ROOT, name, place("read_only"), "its own file system can be written");
        }
        if is_true(service, "privileged") {
            found.add(&PRIVILEGED, name, place("privileged"), "it is privileged");
        } else {
            let options = list(service, "security_opt");
            let has = |option: &String| {
                matches!(option.replace('=', ":").as_str(), "no-new-privileges" | "no-new-privileges:true")
            };
            if !options.iter().any(has) {
                found.add(&NEW_PRIVILEGES, name, place("security_opt"), "it may gain privileges");
            }
            if !list(service, "cap_drop").iter().any(|dropped| dropped.eq_ignore_ascii_case("ALL")) {
                found.add(&CAPABILITIES, name, place("cap_drop"), "it keeps capabilities");
            }
        }
        for option in list(service, "security_opt") {
            if option.ends_with("unconfined") || option.replace('=', ":") == "label:disable" {
                found.add(&UNCONFINED, name, place("security_opt"), format!("it runs with {option}"));
            }
        }
        for added in list(service, "cap_add") {
            let right = added.to_ascii_uppercase();
            let right = right.strip_prefix("CAP_").unwrap_or(&right);
            if OUT.contains(&right) {
                found.add(&DANGEROUS, name, place("cap_add"), format!("it has {right}"));
            }
        }
        if text(service, "network_mode") == Some("host") {
            found.add(&HOST_NETWORK, name, place("network_mode"), "it is on this machine's network");
        }
        for key in ["pid", "ipc", "userns_mode", "uts"] {
            if text(service, key) == Some("host") {
                found.add(&HOST_NAMESPACE, name, place(key), format!("`{key}` is this machine's"));
            }
        }
    }
}

fn is_true(service: &Service, key: &str) -> bool {
    service.rest.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(service: &'a Service, key: &str) -> Option<&'a str> {
    service.rest.get(key).and_then(Value::as_str)
}

fn list(service: &Service, key: &str) -> Vec<String> {
    let items = service.rest.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
