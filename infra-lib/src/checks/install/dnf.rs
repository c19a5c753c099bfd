//! Fedora and its relatives.

use crate::error::{Error, Result};
use crate::exec::{Invocation, Runner};
use crate::exit::Exit;

use super::Need;
use super::manager::{has_systemd, user};

/// The commands, and what remains to be done by hand.
pub(super) fn commands(runner: &Runner, needs: &[Need]) -> Result<(Vec<Invocation>, Vec<String>)> {
    let docker = needs.iter().any(|need| matches!(need, Need::Engine | Need::Compose | Need::Buildx));
    let available = |package: &str| {
        let call = Invocation::new("dnf").args(["-q", "repoquery", "--qf", "%{name}", package]);
        runner.read(&call).is_ok_and(|output| !output.text().is_empty())
    };
    let own = docker && available("docker-ce");
    if docker && !own && !available("moby-engine") {
        return Err(Error::new(Exit::Unavailable, "the configured repositories have no Docker engine")
            .with_hint("add Docker's own package repository (docs.docker.com/engine/install), then run `cargo xtask setup --install` again"));
    }
    let packages = needs.iter().flat_map(|need| packages(*need, own));
    let mut commands = vec![Invocation::new("dnf").args(["install", "-y"]).args(packages.copied())];
    let mut remarks = Vec::new();
    if needs.contains(&Need::Engine) {
        if has_systemd() {
            commands.push(Invocation::new("systemctl").args(["enable", "--now", "docker"]));
        }
        remarks.extend(user().map(|user| {
            format!("to use Docker without sudo: `sudo usermod -aG docker {user}`, then log in again; it is as much as root's rights")
        }));
    }
    Ok((commands, remarks))
}

/// `own`: whether Docker's own repository is there.
fn packages(need: Need, own: bool) -> std::slice::Iter<'static, &'static str> {
    let names: &'static [&'static str] = match (need, own) {
        (Need::Engine, true) => &["docker-ce", "docker-ce-cli", "containerd.io"],
        (Need::Engine, false) => &["moby-engine", "docker-cli"],
        (Need::Compose, true) => &["docker-compose-plugin"],
        (Need::Compose, false) => &["docker-compose"],
        (Need::Buildx, true) => &["docker-buildx-plugin"],
        (Need::Buildx, false) => &["docker-buildx"],
        (Need::PostgresServer, _) => &["postgresql-server", "postgresql-contrib", "postgresql"],
        (Need::PostgresClient, _) => &["postgresql"],
        (Need::Git, _) => &["git"],
        (Need::Curl, _) => &["curl"],
        (Need::Openssl, _) => &["openssl"],
    };
    names.iter()
}
