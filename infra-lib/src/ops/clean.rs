//! `clean`

mod inventory;
mod removal;

use std::fmt;
use std::thread;

use serde::Serialize;

use crate::backup::catalogue::Catalogue;
use crate::backup::verify::check_digest;
use crate::compose::Engine;
use crate::config::ByteSize;
use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::release::Deploys;

pub use inventory::{CleanKind, CleanObject};
use inventory::{Inventory, joined};
use removal::remove_all;

/// Remove containers and networks (volumes and images on request).
///
/// Removes this project's containers and networks; the options add volumes, images and the build cache. Never touches
/// another project's resources.
///
/// What will be removed is listed first, with sizes. Volumes hold data: in a protected environment they are removed
/// only if there is a verified backup from the last 24 hours, or with `--discard-data`.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Clean {
    /// Also remove the volumes, and with them the data.
    #[cfg_attr(feature = "cli", arg(long))]
    pub volumes: bool,
    /// Also remove the images that were built for this project.
    #[cfg_attr(feature = "cli", arg(long))]
    pub images: bool,
    /// Also remove the project's own builder with its build cache, if it has one.
    #[cfg_attr(feature = "cli", arg(long))]
    pub build_cache: bool,
    /// Remove everything of this project.
    #[cfg_attr(feature = "cli", arg(long))]
    pub all: bool,
    /// Remove data without a recent backup.
    #[cfg_attr(feature = "cli", arg(long))]
    pub discard_data: bool,
}

/// The result of `clean`: what was removed, and what was not.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CleanReport {
    /// The removed objects, in the order of removal.
    pub removed: Vec<CleanObject>,
    /// What should have been removed and could not be, with the reason.
    pub remaining: Vec<String>,
    /// What was left alone on purpose, with the reason.
    pub left: Vec<String>,
}

impl Operation for Clean {
    const NAME: &'static str = "clean";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = CleanReport;

    fn run(&self, project: &Project) -> Result<CleanReport> {
        let _lock = project.lock(Lock::Stack, Mode::Exclusive, Self::NAME)?;
        let (engine, inventory) = thread::scope(|scope| {
            let engine = scope.spawn(|| if project.has_services() { refuse_other_engine(project) } else { Ok(()) });
            let inventory = Inventory::take(project, self);
            (joined(engine), inventory)
        });
        engine?;
        let inventory = inventory?;
        let mut report = CleanReport { removed: Vec::new(), remaining: Vec::new(), left: inventory.left.clone() };
        if inventory.objects.is_empty() {
            return Ok(report);
        }
        let mut destruction =
            project.destruction(Self::NAME, inventory.objects.iter().map(ToString::to_string).collect());
        destruction.ambiguous = inventory.ambiguous;
        if inventory.has_data() {
            self.require_backup(project)?;
        }
        project.consent(&destruction)?;
        // A backup, restore or migration at work comes to its end first.
        let _alone = project.lock(Lock::Database, Mode::Exclusive, Self::NAME)?;
        let removal = remove_all(project, inventory.objects, &inventory.containers)?;
        (report.removed, report.remaining) = (removal.removed, removal.remaining);
        if report.remaining.is_empty() && !project.runner().is_dry_run() {
            // From now on, the environment is again what the checkout says.
            Deploys::new(project.state(), &project.environment().name).clean(project.state())?;
        }
        Ok(report)
    }
}

impl Clean {
    /// Data of a protected environment goes only when it can be had back.
    fn require_backup(&self, project: &Project) -> Result<()> {
        if !project.environment().protected || self.discard_data || has_recent_backup(project)? {
            return Ok(());
        }
        Err(Error::new(
            Exit::Refused,
            format!(
                "found no verified backup of {} from the last 24 hours; nothing was changed",
                project.environment().name
            ),
        )
        .with_hint("create one with `cargo xtask db-backup`, or add `--discard-data`"))
    }
}

/// Whether a verified backup of the last day is there, to the byte.
fn has_recent_backup(project: &Project) -> Result<bool> {
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let catalogue = Catalogue::read(project)?;
    let (Some(folder), Some(newest)) = (&catalogue.folder, catalogue.newest_good(project)) else { return Ok(false) };
    if jiff::Timestamp::now().duration_since(newest.manifest.created) > DAY {
        return Ok(false);
    }
    check_digest(project, folder, &newest.manifest).map(|()| true)
}

/// The engine that `setup` recorded is the one whose objects are ours; another one, or one far away, is left alone.
pub(super) fn refuse_other_engine(project: &Project) -> Result<()> {
    let recorded = project.record().and_then(|record| record.engine.as_ref());
    let now = Engine::query(project.runner())?;
    match recorded {
        Some(engine) if engine.id != now.id => Err(Error::new(
            Exit::Refused,
            format!("this is not the Docker engine on which the project was set up (now at {})", Engine::address()),
        )
        .with_hint("unset DOCKER_HOST and DOCKER_CONTEXT, or run `cargo xtask setup` if the project has moved here")),
        None if Engine::is_remote() => {
            Err(Error::new(Exit::Refused, format!("the Docker engine at {} is not on this machine", Engine::address()))
                .with_hint("run `cargo xtask setup` first, which records the engine as this project's"))
        }
        _ => Ok(()),
    }
}

impl Outcome for CleanReport {
    fn exit(&self) -> Exit {
        match (self.remaining.is_empty(), self.removed.is_empty()) {
            (true, _) => Exit::Ok,
            (false, false) => Exit::Partial,
            (false, true) => Exit::Failed,
        }
    }

    fn next(&self) -> Vec<String> {
        match self.exit() {
            Exit::Ok => vec!["cargo xtask setup".to_owned()],
            _ => vec!["cargo xtask clean".to_owned()],
        }
    }
}

impl fmt::Display for CleanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.removed.is_empty() && self.remaining.is_empty() {
            lines.push("nothing to remove".to_owned());
        }
        lines.extend(self.removed.iter().map(|object| format!("removed {object}")));
        lines.extend(self.remaining.iter().map(|rest| format!("not removed: {rest}")));
        lines.extend(self.left.iter().map(|left| format!("left alone: {left}")));
        let freed: u64 = self.removed.iter().filter_map(|object| object.bytes).sum();
        if freed > 0 {
            lines.push(format!("{} freed", ByteSize::new(freed)));
        }
        f.write_str(&lines.join("\n"))
    }
}
