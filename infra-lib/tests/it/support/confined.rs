//! What the containers of every system are held to, as Docker enforces it.

use serde_json::{Value, json};

use super::stack::service_of;

/// A service's share of the machine, and who it is: `Confined { service: "db", memory: 1024, cpus: 100, user: "70:70" }`.
#[derive(Clone, Copy)]
pub(crate) struct Confined {
    pub(crate) service: &'static str,
    /// MiB.
    pub(crate) memory: u64,
    /// Hundredths of one.
    pub(crate) cpus: u64,
    pub(crate) user: &'static str,
}

pub(crate) const MB: u64 = 1024 * 1024;

/// Nanoseconds, as Docker counts.
pub(crate) const SECOND: u64 = 1_000_000_000;

impl Confined {
    /// The container of this service; it must have its share, and be started again.
    #[track_caller]
    pub(crate) fn container<'a>(&self, containers: &'a [Value]) -> &'a Value {
        let Self { service, memory, cpus, user } = *self;
        let container = containers.iter().find(|container| service_of(container) == service).expect(service);
        let host = &container["HostConfig"];
        assert_eq!(host["Memory"], memory * MB, "{service}");
        assert_eq!(host["NanoCpus"], cpus * SECOND / 100, "{service}");
        assert_eq!(container["Config"]["User"], user, "{service}");
        assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped", "{service}");
        let health = &container["Config"]["Healthcheck"];
        assert_eq!(health["StartInterval"], SECOND / 2, "{service}: {health}");
        container
    }
}

/// Logs that are rotated, no capabilities, no way to more rights, and a user that is not root.
#[track_caller]
pub(crate) fn is_hardened(container: &Value) {
    let (name, host) = (service_of(container), &container["HostConfig"]);
    let log = json!({"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}});
    assert_eq!(host["LogConfig"], log, "{name}");
    assert_eq!(host["CapDrop"], json!(["ALL"]), "{name}");
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]), "{name}");
    assert!(host["PidsLimit"].as_u64().is_some_and(|pids| pids > 0), "{name}");
    let user = container["Config"]["User"].as_str().unwrap().split(':').next().unwrap();
    assert!(user.parse::<u32>().is_ok_and(|user| user > 0), "{name} runs as {user:?}");
}

/// No folder of the checkout can be written to.
#[track_caller]
pub(crate) fn writes_into_no_checkout(container: &Value) {
    let mounts = container["Mounts"].as_array().unwrap();
    let writable = mounts.iter().filter(|mount| mount["Type"] == "bind" && mount["RW"] == true);
    assert_eq!(writable.count(), 0, "{} writes into the checkout", service_of(container));
}

/// The ports in the container that are published, and the address on this machine.
pub(crate) fn published(container: &Value) -> Vec<(&str, &str)> {
    let all = container["HostConfig"]["PortBindings"].as_object();
    all.into_iter().flatten().map(|(port, on)| (port.as_str(), on[0]["HostIp"].as_str().unwrap())).collect()
}

/// Nothing that is published can be reached from another machine.
#[track_caller]
pub(crate) fn is_for_this_machine(container: &Value) {
    let ports = published(container);
    assert!(ports.iter().all(|(_, host)| *host == "127.0.0.1"), "{}: {ports:?}", service_of(container));
}
