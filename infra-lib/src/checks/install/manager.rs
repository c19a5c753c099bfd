//! Which package manager this machine has.

use crate::exec::Runner;

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Brew,
}

impl Manager {
    /// The system's own one comes first: Homebrew can be on Linux too, and brings no engine there.
    pub(super) fn detect(runner: &Runner) -> Option<Self> {
        let known = [("apt-get", Self::Apt), ("dnf", Self::Dnf), ("brew", Self::Brew)];
        known.into_iter().find(|(program, _)| runner.find(program).is_ok()).map(|(_, manager)| manager)
    }

    /// Homebrew refuses to run as root; the others insist on it.
    pub(super) fn needs_root(self) -> bool {
        self != Self::Brew
    }
}

/// Whether systemd starts the services of this machine.
pub(super) fn has_systemd() -> bool {
    std::path::Path::new("/run/systemd/system").exists()
}

/// The user who will want to talk to the engine, unless that is root.
pub(super) fn user() -> Option<String> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    crate::users::name(rustix::process::getuid().as_raw())
}
