//! `release`

use std::fmt;

use serde::Serialize;

use crate::config::ByteSize;
use crate::deploy;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::release::Release as Made;

use super::Build;
use super::build::buildable;

/// Build the images and make a release, with everything pinned.
///
/// A release contains the environment's compose files, the configuration that containers mount, infra.toml and the
/// migrations, and names each image by its id. It has no source and no secret, and never changes. Content that is
/// equal to that of an existing release makes no new one.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Release {
    /// Do not build: use the images that are there, and pull those that are missing.
    #[cfg_attr(feature = "cli", arg(long))]
    pub no_build: bool,
    /// Also from a checkout with changes that are not committed; never for a protected environment.
    #[cfg_attr(feature = "cli", arg(long))]
    pub allow_dirty: bool,
}

/// The result of `release`; all is `None` in a dry run.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ReleaseReport {
    /// The release that was made or already existed.
    pub release: Option<Made>,
}

impl Operation for Release {
    const NAME: &'static str = "release";
    const GROUP: Group = Group::Deploy;
    type Outcome = ReleaseReport;

    fn run(&self, project: &Project) -> Result<ReleaseReport> {
        Ok(ReleaseReport { release: make(&project.in_checkout()?, self.no_build, self.allow_dirty)? })
    }
}

/// Builds and makes a release of the checkout.
pub(super) fn make(checkout: &Project, no_build: bool, allow_dirty: bool) -> Result<Option<Made>> {
    checkout.require_env_file()?;
    let commit = deploy::check_tree(checkout, allow_dirty)?;
    if !no_build && !buildable(checkout, &[])?.is_empty() {
        checkout.nested(&Build::default())?;
    }
    deploy::make(checkout, commit)
}

impl Outcome for ReleaseReport {
    fn next(&self) -> Vec<String> {
        let deploy = |release: &Made| format!("cargo xtask -e {} deploy {}", release.environment, release.id);
        self.release.iter().map(deploy).collect()
    }
}

impl fmt::Display for ReleaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(release) = &self.release else { return f.write_str("no release was made") };
        write!(f, "release {} of {}", release.id, release.environment)?;
        for (service, image) in &release.images {
            write!(f, "\n  {service}: {} ({})", image.name, ByteSize::new(image.bytes))?;
        }
        Ok(())
    }
}
