//! What `setup` looks at before it makes anything, and `doctor` whenever something is wrong: one file per matter.
//!
//! A look returns a [`Check`] for each thing that is not as it should be, with the way out, or one that says that all is
//! well. Nothing here changes anything but [`install`], which `setup --install` uses and which asks first.

mod activity;
mod certificates;
mod compose_file;
mod connections;
mod cors;
mod engine;
mod env_file;
mod images;
pub(crate) mod install;
mod mounts;
mod names;
pub(crate) mod ports;
mod reload;
mod services;
mod subnets;
mod symptom;
mod tools;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::probe::{self, Check, Probe, Snapshot, Verdict};
use crate::project::{DatabaseAxis, Project};

pub(crate) use subnets::clashes as subnet_clashes;
use tools::missing;

/// One matter: its name and how it is looked at.
#[derive(Clone, Copy)]
struct Matter(&'static str, fn(&Snapshot<'_>) -> Vec<Check>);

/// What must be right before a stack is built and started: tools, engine, room, ports, subnets.
const BEFORE_START: [Matter; 5] = [
    Matter("tools", tools::look),
    Matter("engine", engine::look),
    Matter("images", images::look),
    Matter("ports", ports::look),
    Matter("subnets", subnets::look),
];

/// What the project says, and what its services do.
const ALWAYS: [Matter; 13] = [
    Matter("env", env_file::look),
    Matter("git", env_file::git),
    Matter("compose", compose_file::look),
    Matter("build", compose_file::builds),
    Matter("log files", compose_file::log_files),
    Matter("names", names::look),
    Matter("mounts", mounts::look),
    Matter("certificates", certificates::look),
    Matter("connections", connections::look),
    Matter("cors", cors::look),
    Matter("services", services::look),
    Matter("reload", reload::look),
    Matter("database", activity::look),
];

/// The kinds of health probe that find ailments which nothing above finds, whether or not services run.
const PROBES: [&str; 11] =
    ["http", "tcp", "postgres", "redis", "tls", "reach", "network", "environment", "exposure", "resources", "disk"];

/// Looks at everything that `setup` needs, before it makes anything.
pub(crate) fn preflight(project: &Project) -> Vec<Check> {
    let (snapshot, _) = Snapshot::take_anyway(project);
    let mut asked = matters(&BEFORE_START);
    asked.extend(probes(&snapshot, &["disk"]));
    probe::ask(&asked, &snapshot)
}

/// Looks at everything there is, all of it at once.
pub(crate) fn everything(project: &Project) -> Vec<Check> {
    let (snapshot, error) = Snapshot::take_anyway(project);
    let mut asked = matters(&BEFORE_START);
    asked.extend(matters(&ALWAYS));
    // What is not there yet would only be missed once more.
    let runs = match project.database_axis() {
        DatabaseAxis::Service => snapshot.has_containers(),
        DatabaseAxis::Local => {
            snapshot.has_containers() || project.local_status().is_some_and(|status| status.pid.is_some())
        }
        DatabaseAxis::Url => true,
    };
    asked.extend(probes(&snapshot, if runs { &PROBES } else { &["disk", "exposure"] }));
    let mut checks: Vec<Check> = probe::ask(&asked, &snapshot).into_iter().map(not_slow).collect();
    if let Some(error) = error.filter(|error| !is_known(error, &checks)) {
        checks.insert(0, probe::failure("project", project.name(), &error));
    }
    checks
}

/// Whether one of the checks has said the same: the engine and the env file have matters of their own.
fn is_known(error: &Error, checks: &[Check]) -> bool {
    let text = error.to_string();
    checks.iter().any(|check| check.status == Verdict::Fail && text.starts_with(&check.detail))
}

/// A page that takes longer is felt to be slow.
const SLOW: Duration = Duration::from_secs(1);

/// An answer that is right and late is something to look at, here; for `health` it is right.
fn not_slow(check: Check) -> Check {
    match check.latency {
        Some(latency) if check.kind == "http" && check.status == Verdict::Ok && latency > SLOW => {
            let detail = format!("slow responses: {} after {} ms", check.detail, latency.as_millis());
            let hint = format!(
                "look at what it waits for: slow queries and full limits are said here too, `cargo xtask logs {}` may tell; then cache \
                 what is asked for again and again",
                check.target
            );
            Check::warn(check.kind, check.target, detail).with_hint(hint).took(latency)
        }
        _ => check,
    }
}

fn matters(matters: &[Matter]) -> Vec<(&'static str, Box<dyn Probe>)> {
    matters.iter().map(|matter| (matter.0, Box::new(*matter) as Box<dyn Probe>)).collect()
}

fn probes(snapshot: &Snapshot<'_>, names: &[&str]) -> Vec<(&'static str, Box<dyn Probe>)> {
    let kinds = probe::KINDS.iter().filter(|kind| names.contains(&kind.name));
    kinds.flat_map(|kind| (kind.plan)(snapshot).into_iter().map(|probe| (kind.name, probe))).collect()
}

impl Probe for Matter {
    fn target(&self) -> String {
        self.0.to_owned()
    }

    fn look(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        (self.1)(snapshot)
    }
}

/// Goes on if nothing fails; says what should be looked at. A dry run goes on in any case: what it would have changed
/// may be what is wrong.
pub(crate) fn require(project: &Project, checks: &[Check]) -> Result<()> {
    let line = |check: &Check| match &check.hint {
        Some(hint) => format!("{} {}: {} ({hint})", check.kind, check.target, check.detail),
        None => format!("{} {}: {}", check.kind, check.target, check.detail),
    };
    let is_failure = |check: &&Check| check.status == Verdict::Fail && !project.runner().is_dry_run();
    for check in checks.iter().filter(|check| check.status >= Verdict::Warn && !is_failure(check)) {
        project.warn(line(check));
    }
    let failed: Vec<&Check> = checks.iter().filter(is_failure).collect();
    let exit = if failed.iter().all(|check| check.kind == images::KIND) { Exit::CannotCreate } else { Exit::Failed };
    match &failed[..] {
        [] => Ok(()),
        [one] => {
            let error = Error::new(exit, format!("{} {}: {}", one.kind, one.target, one.detail));
            Err(one.hint.iter().fold(error, Error::with_hint))
        }
        several => {
            let list: Vec<String> = several.iter().map(|check| format!("\n  {}", line(check))).collect();
            Err(Error::new(exit, format!("this machine is not ready:{}", list.concat())))
        }
    }
}
