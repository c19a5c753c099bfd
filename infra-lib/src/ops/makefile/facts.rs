//! What the conversion has to know about the project.

use std::collections::BTreeSet;

use camino::Utf8Path;

/// The project that a Makefile belongs to.
pub(crate) struct Facts<'a> {
    pub(crate) root: &'a Utf8Path,
    /// The names of our commands, which no task can have.
    pub(crate) commands: &'a [&'a str],
    /// The environment without `-e`.
    pub(crate) default_environment: &'a str,
    /// The compose project's name.
    pub(crate) name: Option<&'a str>,
    /// The compose files that are found without `-f`.
    pub(crate) files: Vec<String>,
    /// The services that run without a profile.
    pub(crate) services: BTreeSet<String>,
    pub(crate) database: Option<DatabaseFacts>,
    /// The value of a variable of the env files or of the environment.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether the compose files refer to a variable of this name.
    pub(crate) interpolates: &'a dyn Fn(&str) -> bool,
}

/// The database that runs in a service.
#[derive(Debug)]
pub(crate) struct DatabaseFacts {
    pub(crate) service: String,
    pub(crate) user: String,
    pub(crate) name: String,
}

impl Facts<'_> {
    /// Whether a command of ours has this name.
    pub(super) fn is_command(&self, name: &str) -> bool {
        self.commands.contains(&name)
    }
}
