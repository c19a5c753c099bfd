//! What must hold before an operation goes on: an env file, a lock, somebody's consent.

use std::time::Duration;

use crate::consent::{Destruction, obtain};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};

use super::{Project, template_of};

/// How long an operation waits for another one that holds its lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

impl Project {
    /// An error if the env file that the manifest names, or that a template announces, has not been made yet.
    pub(crate) fn require_env_file(&self) -> Result<()> {
        let env = self.environment();
        let own = &env.own_env_file;
        let is_stated =
            self.manifest().environments.get(&env.name).is_some_and(|settings| !settings.env_files.is_empty());
        let has_template = template_of(own).is_file();
        if own.is_file() || !(is_stated || has_template) {
            return Ok(());
        }
        let name = own.strip_prefix(self.root()).unwrap_or(own);
        let hint = match (has_template, env.is_default) {
            (true, true) => "`cargo xtask setup` makes it from its template, with fresh secrets".to_owned(),
            (true, false) => {
                format!("`cargo xtask -e {} setup` makes it from its template, with fresh secrets", env.name)
            }
            (false, _) => "write it, or correct `env-files` in infra.toml".to_owned(),
        };
        Err(Error::new(Exit::Config, format!("the env file {name} of environment `{}` is missing", env.name))
            .with_hint(hint))
    }

    /// Takes a lock for as long as the guard lives, waiting a little for whoever has it.
    pub fn lock(&self, lock: Lock, mode: Mode, operation: &str) -> Result<Option<Guard>> {
        if self.runner().is_dry_run() {
            return Ok(None);
        }
        let guard = lock.acquire(self.state().ensure()?, mode, operation, LOCK_PATIENCE, self.cancel(), |text| {
            self.waiting(text);
        })?;
        Ok(Some(guard))
    }

    /// Asks before destroying; what is not granted is an error.
    pub fn consent(&self, destruction: &Destruction) -> Result<()> {
        if self.runner().is_dry_run() {
            return Ok(());
        }
        Ok(obtain(&self.consent, destruction)?)
    }

    /// Describes a destruction in this environment.
    pub(crate) fn destruction(&self, operation: &'static str, items: Vec<String>) -> Destruction {
        Destruction {
            operation,
            project: self.name().to_owned(),
            environment: self.environment().name.clone(),
            protected: self.environment().protected,
            ambiguous: false,
            additive: false,
            items,
            last_backup: None,
        }
    }
}
