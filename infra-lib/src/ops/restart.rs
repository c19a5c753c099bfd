//! `restart`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::compose::readiness::Baseline;
use crate::compose::{ComposeError, Model};
use crate::error::Result;
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::manifest::Period;
use crate::operation::{Group, Operation, Outcome};
use crate::project::services::Readiness;
use crate::project::{DatabaseAxis, Project};
use crate::volumes::heal_before_start;

use super::Settled;

/// Restart the stack, or some services, in dependency order.
///
/// Each service is ready again before those that depend on it are restarted; when one does not become ready, the rest is
/// left running as it was. Changes of the compose files and env files reach a container only by `start`, which makes
/// it anew.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Restart {
    /// Only these services, and those that ask to be restarted with them (`depends_on: {…: {restart: true}}`).
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// How long to wait until everything is ready [default: 5m].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME"))]
    pub timeout: Option<Period>,
}

/// How the restart ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RestartReport {
    /// What was restarted, in this order.
    pub restarted: Vec<String>,
    /// What was left as it was, since something that it depends on did not become ready.
    pub left: Vec<String>,
    /// How waiting ended.
    #[serde(flatten)]
    pub settled: Settled,
}

impl Operation for Restart {
    const NAME: &'static str = "restart";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = RestartReport;

    fn run(&self, project: &Project) -> Result<RestartReport> {
        let began = Instant::now();
        heal_before_start(project, Self::NAME)?;
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        let mut report = RestartReport { restarted: Vec::new(), left: Vec::new(), settled: Settled::default() };
        for service in &self.services {
            project.known_service(service)?;
        }
        if project.database_axis() == DatabaseAxis::Local && self.services.is_empty() {
            project.step("restarting the local database");
            project.stop_local_database()?;
            project.start_local_database()?;
            report.restarted.push("local database".to_owned());
        }
        let mut readiness = Readiness::Ready;
        if project.has_services() {
            let patience = self.timeout.map_or(super::start::PATIENCE, Period::duration);
            let levels = levels(project.model()?, &self.affected(project)?);
            for level in levels {
                if matches!(readiness, Readiness::Ready) {
                    readiness = restart(project, &level, patience)?;
                    report.restarted.extend(level);
                } else {
                    report.left.extend(level);
                }
            }
        }
        report.settled = Settled::new(readiness, began);
        Ok(report)
    }
}

impl Restart {
    /// The services that were named, or are on, or have a container; and their dependents that want to follow them.
    fn affected(&self, project: &Project) -> Result<BTreeSet<String>> {
        let mut affected = project.select_services(&self.services)?;
        if self.services.is_empty() {
            let model = project.model()?;
            let present = project.containers()?.into_iter().filter(|container| !container.one_off);
            affected.extend(present.map(|it| it.service).filter(|service| model.services.contains_key(service)));
            return Ok(affected);
        }
        loop {
            let follows = |service: &crate::compose::Service| {
                service.depends_on.iter().any(|(name, dependency)| dependency.restart && affected.contains(name))
            };
            let services = project.model()?.services.iter();
            let more: Vec<_> = services.filter(|(name, it)| !affected.contains(*name) && follows(it)).collect();
            if more.is_empty() {
                return Ok(affected);
            }
            affected.extend(more.into_iter().map(|(name, _)| name.clone()));
        }
    }
}

/// Restarts these services together and waits for them. Those without a container get one.
fn restart(project: &Project, services: &BTreeSet<String>, patience: Duration) -> Result<Readiness> {
    let until = Instant::now() + patience;
    project.step(format_args!("restarting {}", services.iter().cloned().collect::<Vec<_>>().join(", ")));
    let before = project.containers()?;
    let (present, absent): (Vec<_>, Vec<_>) = services
        .iter()
        .cloned()
        .partition(|service| before.iter().any(|container| container.service == *service && !container.one_off));
    let grace = project.stop_grace(services)?.as_secs().to_string();
    let again = project.compose().call_all(["restart", "--no-deps", "--timeout", &grace]);
    let anew = project.compose().call(["up", "-d", "--no-deps", "--no-recreate"]);
    for (call, named) in [(again, present), (anew, absent)] {
        if named.is_empty() {
            continue;
        }
        match project.compose().change(project.runner(), &call.args(named).relay("compose")) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Readiness::Ready),
            // A container that cannot be started again is a finding.
            Err(error @ ComposeError::Failed(ExecError::Exited { .. })) => {
                return match project.wait_ready(services, &Baseline::default(), Instant::now())? {
                    failed @ Readiness::Failed(_) => Ok(failed),
                    _ => Err(error.into()),
                };
            }
            Err(error) => return Err(error.into()),
        }
    }
    // The engine counts restarts from zero after a restart by hand.
    project.wait_ready(services, &Baseline::default(), until)
}

/// These services in groups: each depends only on earlier ones, directly or through services that are not among them.
fn levels(model: &Model, services: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for name in model.dependency_order() {
        let Some(service) = model.services.get(name) else { continue };
        let below = service.depends_on.keys().filter_map(|name| depths.get(name.as_str()));
        let depth = below.max().map_or(0, |depth| depth + 1);
        depths.insert(name, depth);
    }
    let mut levels: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for name in services {
        levels.entry(depths.get(name.as_str()).copied().unwrap_or(0)).or_default().insert(name.clone());
    }
    levels.into_values().collect()
}

impl Outcome for RestartReport {
    fn exit(&self) -> Exit {
        self.settled.exit()
    }

    fn next(&self) -> Vec<String> {
        self.settled.next()
    }
}

impl fmt::Display for RestartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.restarted.is_empty() {
            return f.write_str("there is nothing to restart");
        }
        write!(f, "restarted {}; {}", self.restarted.join(", "), self.settled)?;
        if !self.left.is_empty() {
            write!(f, "\nleft as they were: {}", self.left.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_comes_after_what_it_depends_on() {
        let model = Model::parse(
            br#"{"services":{"db":{},"cache":{},"api":{"depends_on":{"db":{},"cache":{}}},"web":{"depends_on":{"api":{}}},"mail":{}}}"#,
        )
        .unwrap();
        let groups = |names: &[&str]| {
            let groups = levels(&model, &names.iter().map(|&name| name.to_owned()).collect());
            groups.into_iter().map(|level| level.into_iter().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(groups(&["web", "api", "mail", "db", "cache"]), ["cache db mail", "api", "web"]);
        assert_eq!(groups(&["web", "db"]), ["db", "web"], "web depends on db through api");
    }
}
