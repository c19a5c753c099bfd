//! The groups of checks, and the kinds of probes that run with them.

use crate::probe::{Check, KINDS, Probe, Snapshot};

use super::{
    activity, certificates, compose_file, connections, cors, engine, env_file, images, mounts, names, ports, reload,
    services, subnets, tools,
};

/// A group of checks: its name and its function.
#[derive(Clone, Copy)]
pub(super) struct CheckGroup(&'static str, fn(&Snapshot<'_>) -> Vec<Check>);

/// What must be right before a stack is built and started: tools, engine, disk space, ports, subnets.
pub(super) const BEFORE_START: [CheckGroup; 6] = [
    CheckGroup("tools", tools::check),
    CheckGroup("engine", engine::check),
    CheckGroup("images", images::check),
    CheckGroup("contexts", compose_file::contexts),
    CheckGroup("ports", ports::check),
    CheckGroup("subnets", subnets::check),
];

/// The project's configuration, and its services.
pub(super) const ALWAYS: [CheckGroup; 13] = [
    CheckGroup("env", env_file::check),
    CheckGroup("git", env_file::git),
    CheckGroup("compose", compose_file::check),
    CheckGroup("build", compose_file::builds),
    CheckGroup("log files", compose_file::log_files),
    CheckGroup("names", names::check),
    CheckGroup("mounts", mounts::check),
    CheckGroup("certificates", certificates::check),
    CheckGroup("connections", connections::check),
    CheckGroup("cors", cors::check),
    CheckGroup("services", services::check),
    CheckGroup("reload", reload::check),
    CheckGroup("database", activity::check),
];

/// The kinds of health probes that find problems which no group above finds, even if no services run.
pub(super) const PROBES: [&str; 11] =
    ["http", "tcp", "postgres", "redis", "tls", "reach", "network", "environment", "exposure", "resources", "disk"];

pub(super) fn groups(groups: &[CheckGroup]) -> Vec<(&'static str, Box<dyn Probe>)> {
    groups.iter().map(|group| (group.0, Box::new(*group) as Box<dyn Probe>)).collect()
}

pub(super) fn probes(snapshot: &Snapshot<'_>, names: &[&str]) -> Vec<(&'static str, Box<dyn Probe>)> {
    let kinds = KINDS.iter().filter(|kind| names.contains(&kind.name));
    kinds.flat_map(|kind| (kind.plan)(snapshot).into_iter().map(|probe| (kind.name, probe))).collect()
}

impl Probe for CheckGroup {
    fn target(&self) -> String {
        self.0.to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        (self.1)(snapshot)
    }
}
