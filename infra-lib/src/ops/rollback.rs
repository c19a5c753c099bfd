//! `rollback`

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation};
use crate::release::{Deploys, Outcome};

use super::deploy::{DeployReport, Direction, deploy_release};
use super::releases::find;

/// Go back to an earlier release.
///
/// It needs no network: nothing is built or pulled, and no migration runs. Env files stay as they are. A rollback after
/// a rollback goes further back, never forward; `deploy RELEASE` goes forward.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Rollback {
    /// The release [default: the newest that was live before, and was not rolled back from].
    #[cfg_attr(feature = "cli", arg(value_name = "RELEASE"))]
    pub release: Option<String>,
    /// Also if the schema has changed since: the old code is known to run on it.
    #[cfg_attr(feature = "cli", arg(long))]
    pub accept_schema: bool,
}

impl Operation for Rollback {
    const NAME: &'static str = "rollback";
    const GROUP: Group = Group::Deploy;
    type Outcome = DeployReport;

    fn run(&self, project: &Project) -> Result<DeployReport> {
        let id = match &self.release {
            Some(id) => id.clone(),
            None => before(project)?,
        };
        let direction = Direction::Back { accept_schema: self.accept_schema };
        deploy_release(project, &find(project, &id)?, direction)
    }
}

/// The release that was live before the one that is.
fn before(project: &Project) -> Result<String> {
    let environment = &project.environment().name;
    // The releases that were live, in order; going back removes those that it went back from.
    let mut line: Vec<String> = Vec::new();
    let mut journals: Vec<_> = Deploys::new(project.state(), environment).all().collect();
    journals.reverse();
    for journal in journals {
        match (journal.outcome(), journal.beginning()) {
            (Some(Outcome::Cleaned), _) => line.clear(),
            (Some(Outcome::Live), Some(begin)) => {
                if begin.rollback
                    && let Some(at) = line.iter().rposition(|id| *id == begin.release)
                {
                    line.truncate(at);
                }
                line.retain(|id| *id != begin.release);
                line.push(begin.release.clone());
            }
            _ => {}
        }
    }
    line.pop();
    line.pop().ok_or_else(|| {
        Error::new(Exit::NotFound, format!("no earlier release was live in environment `{environment}`"))
            .with_hint("`cargo xtask releases` lists what there is; `cargo xtask rollback RELEASE` goes to one")
    })
}
