//! Which package manager this machine has, and how it starts the engine.

use std::path::Path;

use crate::exec::{Invocation, Runner};
use crate::users;

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Brew,
}

impl Manager {
    /// The system's own one comes first: Homebrew also exists on Linux, but has no engine there.
    pub(super) fn detect(runner: &Runner) -> Option<Self> {
        let known = [("apt-get", Self::Apt), ("dnf", Self::Dnf), ("brew", Self::Brew)];
        known.into_iter().find(|(program, _)| runner.find(program).is_ok()).map(|(_, manager)| manager)
    }

    /// Homebrew refuses to run as root; the others insist on it.
    pub(super) fn needs_root(self) -> bool {
        self != Self::Brew
    }
}

/// Ways to start an installed engine that is not running, the usual one first. `dockerd` is its future path.
pub(super) fn start_engine(dockerd: &str) -> Vec<Invocation> {
    if Path::new("/run/systemd/system").exists() {
        return vec![Invocation::new("systemctl").args(["enable", "--now", "docker"])];
    }
    let mut ways = vec![Invocation::new("service").args(["docker", "start"])];
    // If the init script cannot raise its limits, as in some containers, the daemon can start without it.
    if Path::new("/sbin/start-stop-daemon").exists() {
        let detached = ["--start", "--background", "--output", "/var/log/dockerd.log", "--exec", dockerd];
        ways.push(Invocation::new("start-stop-daemon").args(detached));
    }
    ways
}

/// What a user other than root must do to use the engine.
pub(super) fn docker_group() -> Option<String> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    let user = users::name(rustix::process::getuid().as_raw())?;
    Some(format!(
        "to use Docker without sudo: `sudo usermod -aG docker {user}`, then log in again (that group has as much power as root)"
    ))
}
