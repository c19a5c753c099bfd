//! Preconditions of operations: an env file, a lock, consent.

use std::time::Duration;

use camino::Utf8Path;

use crate::consent::{Destruction, obtain};
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::project::error::{Error, Result};

use super::{Project, template_of};

/// How long to wait for another operation that holds the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

impl Project {
    /// Returns an error if the environment does not work without an env file that is missing: if the configuration or
    /// `-e` names it, if the environment is protected, or if a service needs it.
    pub(crate) fn require_env_file(&self) -> Result<()> {
        let env = self.environment();
        let is_named = !env.is_default
            || self.config().environments.get(&env.name).is_some_and(|settings| !settings.env_files.is_empty());
        if is_named || env.protected {
            return self.expect_env_file();
        }
        self.require_service_env_files()?;
        self.require_identity()
    }

    /// Returns an error if an env file is missing that the configuration names or that has a template, whether or not
    /// Compose needs it.
    pub(crate) fn expect_env_file(&self) -> Result<()> {
        let env = self.environment();
        let own = &env.own_env_file;
        let is_stated =
            self.config().environments.get(&env.name).is_some_and(|settings| !settings.env_files.is_empty());
        if !own.is_file() && (is_stated || template_of(own).is_file()) {
            return Err(self.lacks(own));
        }
        self.require_service_env_files()?;
        self.require_identity()
    }

    /// Returns an error if a service's env file has a template but does not exist yet. Compose would refuse the
    /// entire project, without a hint.
    fn require_service_env_files(&self) -> Result<()> {
        let common = &self.environment().expected_env_files;
        let files = self.sources().env_files().into_iter().filter(|named| named.required).map(|named| named.path);
        let mut missing = files.filter(|file| !common.contains(file) && !file.is_file());
        match missing.find(|file| template_of(file).is_file()) {
            Some(missing) => Err(self.lacks(&missing)),
            None => Ok(()),
        }
    }

    fn lacks(&self, file: &Utf8Path) -> Error {
        let env = self.environment();
        let name = file.strip_prefix(self.root()).unwrap_or(file);
        let hint = if template_of(file).is_file() {
            "`cargo xtask setup` creates it from its template, with new secrets"
        } else {
            "write it, or correct `env-files` in infra.toml"
        };
        Error::new(Exit::Config, format!("the env file {name} of environment `{}` is missing", env.name))
            .with_hint(hint)
    }

    /// Takes a lock until the guard is dropped. Waits briefly if another operation holds it.
    pub(crate) fn lock(&self, lock: Lock, mode: Mode, operation: &str) -> Result<Option<Guard>> {
        if self.runner().is_dry_run() {
            return Ok(None);
        }
        let guard = lock.acquire(self.state().ensure()?, mode, operation, LOCK_PATIENCE, self.cancel(), |text| {
            self.waiting(text);
        })?;
        Ok(Some(guard))
    }

    /// Takes the lock of the backups in this folder. Fails immediately if it is held, since the other backup makes
    /// this one unnecessary.
    pub(crate) fn lock_backups(&self, folder: &Utf8Path, operation: &str) -> Result<Option<Guard>> {
        if self.runner().is_dry_run() {
            return Ok(None);
        }
        Ok(Some(Lock::Backup.acquire(folder, Mode::Exclusive, operation, Duration::ZERO, self.cancel(), |_| {})?))
    }

    /// Asks for confirmation before something is destroyed. Returns an error unless it is granted.
    pub fn consent(&self, destruction: &Destruction) -> Result<()> {
        if self.runner().is_dry_run() {
            return Ok(());
        }
        let answer = obtain(&self.consent, destruction);
        self.cancel().check()?;
        Ok(answer?)
    }

    /// Whether consent was given in advance.
    pub(crate) fn is_consent_given(&self) -> bool {
        self.consent.is_given()
    }
}
