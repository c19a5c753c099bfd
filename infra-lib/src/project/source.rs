//! Where a project's files come from: the checkout or a release.

use crate::config::Config;
use crate::project::error::Result;
use crate::release::{MIGRATIONS, Running};
use crate::state::StateDir;

use super::environment::Environment;

/// Where the compose files, infra.toml and migrations come from.
#[derive(Debug, Clone, Default)]
pub(crate) enum Source {
    /// From the live release, or from the checkout if there is none.
    #[default]
    Live,
    /// From the checkout.
    Checkout,
    /// From this release.
    Release(Box<Running>),
}

impl Source {
    /// The release to read from, if any.
    pub(super) fn running(&self, state: &StateDir, environment: &str) -> Option<Running> {
        match self {
            Self::Live => Running::live(state, environment),
            Self::Checkout => None,
            Self::Release(running) => Some((**running).clone()),
        }
    }
}

/// The configuration and the compose files of a release, in place of the checkout's.
pub(super) fn read_release(running: &Running, environment: &mut Environment) -> Result<Config> {
    let mut manifest = Config::load(&running.files)?;
    if running.release.migrations {
        manifest.migrations.dir = Some(running.files.join(MIGRATIONS));
    }
    environment.files = running.compose_files();
    environment.profiles.clone_from(&running.release.profiles);
    Ok(manifest)
}
