//! What must hold before an operation goes on: an env file, a lock, somebody's consent.

use std::time::Duration;

use camino::Utf8Path;

use crate::consent::{Destruction, obtain};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::lock::{Guard, Lock, Mode};
use crate::postgres::{Database, Mark, Place};

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
            return self.require_service_env_files();
        }
        Err(self.lacks(own))
    }

    /// An error if a service reads an env file that a template announces and that has not been made yet: Compose would
    /// refuse the whole project, without a word about the way out.
    fn require_service_env_files(&self) -> Result<()> {
        let files = &self.environment().service_env_files;
        match files.iter().find(|file| !file.is_file() && template_of(file).is_file()) {
            Some(missing) => Err(self.lacks(missing)),
            None => Ok(()),
        }
    }

    fn lacks(&self, file: &Utf8Path) -> Error {
        let env = self.environment();
        let name = file.strip_prefix(self.root()).unwrap_or(file);
        let hint = match (template_of(file).is_file(), env.is_default) {
            (true, true) => "`cargo xtask setup` makes it from its template, with fresh secrets".to_owned(),
            (true, false) => {
                format!("`cargo xtask -e {} setup` makes it from its template, with fresh secrets", env.name)
            }
            (false, _) => "write it, or correct `env-files` in infra.toml".to_owned(),
        };
        Error::new(Exit::Config, format!("the env file {name} of environment `{}` is missing", env.name))
            .with_hint(hint)
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

    /// Takes the lock of the backups in this folder, or says at once who has it: whoever makes one tonight makes the other's needless.
    pub(crate) fn lock_backups(&self, folder: &Utf8Path, operation: &str) -> Result<Option<Guard>> {
        if self.runner().is_dry_run() {
            return Ok(None);
        }
        Ok(Some(Lock::Backup.acquire(folder, Mode::Exclusive, operation, Duration::ZERO, self.cancel(), |_| {})?))
    }

    /// Asks before destroying; what is not granted is an error.
    pub fn consent(&self, destruction: &Destruction) -> Result<()> {
        if self.runner().is_dry_run() {
            return Ok(());
        }
        Ok(obtain(&self.consent, destruction)?)
    }

    /// Describes a destruction of what is in a database. What the database says of itself counts as well: one that is marked
    /// as another environment's is refused, and one of somebody else's server that bears no mark is protected.
    pub(crate) fn database_destruction(&self, operation: &'static str, database: &Database) -> Result<Destruction> {
        let mut destruction = self.destruction(operation, Vec::new());
        let ours = Mark::of(self);
        match database.mark(self)? {
            Some(mark) if mark == ours => {}
            Some(mark) => {
                return Err(Error::new(
                    Exit::Refused,
                    format!(
                        "the database {} says that it is {} of {}, and this is {} of {}; nothing was changed",
                        database.name, mark.environment, mark.project, ours.environment, ours.project
                    ),
                )
                .with_hint(format!(
                    "if that is the one you mean: `cargo xtask -e {} {operation} …`",
                    mark.environment
                )));
            }
            None => destruction.protected |= matches!(database.place, Place::Url { .. }),
        }
        Ok(destruction)
    }

    /// Whether a yes or a name was given in advance.
    pub(crate) fn is_consent_given(&self) -> bool {
        self.consent.is_given()
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
            last_backup: crate::backup::catalogue::last_in_words(self),
        }
    }
}
