//! `deploy`

mod report;
mod steps;

use crate::deploy::{self, Deployment, Plan, Steps};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation};
use crate::release::{Deploys, Release, Running};

use super::release::make;
use super::releases::find;

pub use report::{DeployOutcome, DeployReport};

/// Replace what runs by a release, without a gap behind a proxy.
///
/// Without an argument, it makes a release of the checkout first. New containers of a service in `[deploy.routes]`
/// start beside the old ones, and the proxy is switched to them when they are ready; every other service is replaced in
/// place. If anything fails, what ran before runs again. Services that do not differ are not touched.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Deploy {
    /// The release [default: a new one of the checkout].
    #[cfg_attr(feature = "cli", arg(value_name = "RELEASE"))]
    pub release: Option<String>,
    /// Do not build: use the images that are there, and pull those that are missing.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with = "release"))]
    pub no_build: bool,
    /// Also from a checkout with changes that are not committed; never for a protected environment.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with = "release"))]
    pub allow_dirty: bool,
    /// Apply migrations that break the release that runs now. It may fail until the new one is live.
    #[cfg_attr(feature = "cli", arg(long))]
    pub accept_schema: bool,
}

impl Operation for Deploy {
    const NAME: &'static str = "deploy";
    const GROUP: Group = Group::Deploy;
    type Outcome = DeployReport;

    fn run(&self, project: &Project) -> Result<DeployReport> {
        let release = match &self.release {
            Some(id) => find(project, id)?,
            None => match make(&project.in_checkout()?, self.no_build, self.allow_dirty)? {
                Some(release) => release,
                None => return Ok(DeployReport::dry()),
            },
        };
        deploy_release(project, &release, Direction::Forward { accept_schema: self.accept_schema })
    }
}

/// In which direction a deploy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To a newer release, with its migrations.
    Forward { accept_schema: bool },
    /// To an earlier one. The schema stays.
    Back { accept_schema: bool },
}

/// Deploys a release, or finds that nothing is to be done.
pub(super) fn deploy_release(project: &Project, release: &Release, direction: Direction) -> Result<DeployReport> {
    let recovered = deploy::recover(project, Deploy::NAME)?;
    let project = recovered.project(project);
    let is_rollback = matches!(direction, Direction::Back { .. });
    refuse_older(project, release, is_rollback)?;
    let undeployed = project.in_release(Running::undeployed(project.state(), release.clone()))?;
    undeployed.require_env_file()?;
    let live = Deploys::new(project.state(), &release.environment).live();
    let containers = undeployed.containers()?;
    let plan = Plan::new(&undeployed, release, &containers, live.is_some())?;
    let is_live = live.as_ref().and_then(|live| live.beginning()).is_some_and(|it| it.release == release.id);
    if plan.is_done() && is_live {
        // Killed right at the end, a deploy leaves the containers that it replaced.
        deploy::remove_replaced(project)?;
        return Ok(DeployReport::nothing_to_do(release, &plan));
    }
    steps::check_schema(project, &undeployed, direction)?;
    report::consent(project, release, &plan, is_rollback)?;
    if project.runner().is_dry_run() {
        return Ok(DeployReport::planned(release, &plan));
    }
    let planned = plan.services.clone();
    let is_first = live.is_none();
    let backup = |project: &Project| steps::backup(project, is_first);
    let migrate = |project: &Project| if is_rollback { Ok(()) } else { steps::migrate(project) };
    let deployment =
        Deployment::begin(&undeployed, release, plan, is_rollback, Steps { backup: &backup, migrate: &migrate })?;
    let ended = deployment.run()?;
    if let Some(error) = &ended.cause
        && matches!(error.exit(), Exit::Signal(_))
    {
        return Err(Error::new(error.exit(), format!("deploy {} was interrupted; it was undone", ended.number)));
    }
    Ok(DeployReport::ended(release, planned, ended))
}

/// An outdated job must not go back without a word.
fn refuse_older(project: &Project, release: &Release, is_rollback: bool) -> Result<()> {
    if release.environment != project.environment().name {
        let message = format!("release {} was made for environment `{}`", release.id, release.environment);
        return Err(Error::new(Exit::Refused, message)
            .with_hint(format!("`cargo xtask -e {} deploy {}`", release.environment, release.id)));
    }
    let environment = &release.environment;
    let live = Running::live(project.state(), environment).map(|running| running.release);
    match live {
        Some(live) if !is_rollback && release.created < live.created => {
            let message = format!("release {} is older than {}, which is live", release.id, live.id);
            Err(Error::new(Exit::Refused, message)
                .with_hint(format!("`cargo xtask rollback {}` goes back", release.id)))
        }
        _ => Ok(()),
    }
}
