//! Fedora and its relatives.

use crate::exec::{Invocation, Runner};
use crate::exit::Exit;
use crate::project::error::{Error, Result};

use super::manager::{docker_group, start_engine};
use super::{Need, Steps};

pub(super) fn steps(runner: &Runner, needs: &[Need]) -> Result<Steps> {
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
    let mut steps = Steps::default();
    steps.commands.push(Invocation::new("dnf").args(["install", "-y"]).args(packages.copied()));
    if needs.contains(&Need::Engine) {
        steps.start = start_engine("/usr/bin/dockerd");
        steps.remarks.extend(docker_group());
    }
    Ok(steps)
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
