//! What `setup` looks at before it makes anything, and `doctor` whenever something is wrong: one file per matter.
//!
//! A look returns a [`Check`] for each thing that is not as it should be, with the way out, or one that says that all is
//! well. Nothing here changes anything but [`install`], which `setup --install` uses and which asks first.

mod disk;
mod engine;
pub(crate) mod install;
pub(crate) mod ports;
mod subnets;
mod tools;

use std::panic::resume_unwind;
use std::thread;

use crate::compose::{Container, Engine, Model};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::probe::{Check, Verdict};
use crate::project::Project;

use tools::missing;

/// What the looks look at. What is `None` could not be read; whoever makes the scene says why.
pub(crate) struct Scene<'a> {
    pub(crate) project: &'a Project,
    pub(crate) model: Option<&'a Model>,
    pub(crate) engine: Option<&'a Engine>,
    pub(crate) containers: &'a [Container],
}

type Look = fn(&Scene<'_>) -> Vec<Check>;

/// What must be right before a stack is built and started: tools, engine, room, ports, subnets.
const BEFORE_START: &[Look] = &[tools::look, engine::look, disk::look, ports::look, subnets::look];

/// Looks at everything that `setup` needs, before it makes anything.
pub(crate) fn preflight(project: &Project, model: Option<&Model>, engine: Option<&Engine>) -> Vec<Check> {
    let containers = if engine.is_some() { project.containers().unwrap_or_default() } else { Vec::new() };
    together(&Scene { project, model, engine, containers: &containers }, BEFORE_START)
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
    let exit = if failed.iter().all(|check| check.kind == disk::KIND) { Exit::CannotCreate } else { Exit::Failed };
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

/// Does all the looking at once, so that it takes as long as the slowest look; the answers keep their order.
fn together(scene: &Scene<'_>, looks: &[Look]) -> Vec<Check> {
    thread::scope(|scope| {
        let running: Vec<_> = looks.iter().map(|look| scope.spawn(|| look(scene))).collect();
        running.into_iter().flat_map(|look| look.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

impl Scene<'_> {
    /// The services that are on in this environment.
    fn active(&self) -> std::collections::BTreeMap<&str, &crate::compose::Service> {
        self.model.map(|model| model.active(&self.project.environment().profiles)).unwrap_or_default()
    }
}
