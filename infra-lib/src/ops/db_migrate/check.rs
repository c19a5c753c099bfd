//! `db-migrate check`

use std::fmt;

use serde::Serialize;

use crate::migrations::{self, Checked};
use crate::project::Project;
use crate::project::error::Result;

/// What was tried in a throw-away database, and found to be right.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MigrateCheck {
    /// Versions that were applied, reverted where they can be, and applied again.
    pub up: Vec<String>,
    /// Versions that were reverted.
    pub down: Vec<String>,
    /// Versions that nothing reverts.
    pub one_way: Vec<String>,
    /// Init scripts that lead to the same schema as the migrations.
    pub init: Vec<String>,
}

pub(super) fn run(project: &Project) -> Result<MigrateCheck> {
    let strings = |versions: &[migrations::Version]| versions.iter().map(ToString::to_string).collect();
    let Checked { up, down, one_way, init } = migrations::check(project)?;
    Ok(MigrateCheck { up: strings(&up), down: strings(&down), one_way: strings(&one_way), init })
}

impl fmt::Display for MigrateCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} up, {} down and up again: the schemas match", self.up.len(), self.down.len())?;
        if !self.init.is_empty() {
            write!(f, ", and so do {}", self.init.join(", "))?;
        }
        if !self.one_way.is_empty() {
            write!(f, "\n{} cannot be reverted; earlier down files were not tested", self.one_way.join(", "))?;
        }
        Ok(())
    }
}
