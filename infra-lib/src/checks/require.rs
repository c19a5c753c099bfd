//! Stops where a check fails.

use crate::exit::Exit;
use crate::probe::{Check, Verdict};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::images;

/// Continues if nothing fails, and reports warnings. A dry run always continues: what it would have changed
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
