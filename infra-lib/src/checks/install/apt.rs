//! Debian, Ubuntu and their derivatives.

use std::collections::BTreeMap;

use crate::compose::numbers;
use crate::exec::{Invocation, Runner};
use crate::exit::Exit;
use crate::project::error::{Error, Result};

use super::manager::{docker_group, start_engine};
use super::{Need, Steps};

const COMPOSE: [&str; 3] = ["docker-compose-plugin", "docker-compose-v2", "docker-compose"];
const ENGINES: [&str; 4] = ["docker-ce", "docker-ce-cli", "docker.io", "docker-cli"];
const BUILDX: [&str; 2] = ["docker-buildx-plugin", "docker-buildx"];

pub(super) fn steps(runner: &Runner, needs: &[Need]) -> Result<Steps> {
    let asked = ENGINES.iter().chain(&COMPOSE).chain(&BUILDX);
    let policy = Invocation::new("apt-cache").arg("policy").args(asked.copied()).env("LC_ALL", "C");
    let candidates = runner.read(&policy).map(|output| candidates(&output.text())).unwrap_or_default();
    let packages = choose(needs, &candidates)?;

    let mut steps = Steps::default();
    let dockerd = if packages.contains(&"docker-ce") { "/usr/bin/dockerd" } else { "/usr/sbin/dockerd" };
    steps.commands.push(apt_get().arg("update"));
    steps.commands.push(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages));
    if needs.contains(&Need::Engine) {
        steps.start = start_engine(dockerd);
        steps.remarks.extend(docker_group());
    }
    if needs.contains(&Need::PostgresServer) {
        steps.remarks.push(
            "the package also creates a system cluster, on port 5432 if that is free; this project does not use it \
             (`sudo pg_dropcluster --stop VERSION main` removes it while it is empty)"
                .to_owned(),
        );
    }
    Ok(steps)
}

/// Waits for another installation instead of failing, and never asks.
fn apt_get() -> Invocation {
    Invocation::new("env").args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"])
}

/// The packages that satisfy these needs, from the configured sources.
fn choose(needs: &[Need], candidates: &BTreeMap<String, String>) -> Result<Vec<&'static str>> {
    let missing = |message: &str, hint: &str| Err(Error::new(Exit::Unavailable, message).with_hint(hint));
    let has = |name: &str| candidates.contains_key(name);
    if candidates.is_empty() && needs.iter().any(|need| matches!(need, Need::Engine | Need::Compose | Need::Buildx)) {
        return missing(
            "apt has no Docker package: its sources have none, or its lists were never fetched",
            "run `apt-get update` as root, then `cargo xtask setup --install` again",
        );
    }
    let new_enough = |name: &&&str| {
        candidates
            .get(**name)
            .is_some_and(|version| numbers(upstream(version)) >= numbers(crate::compose::Compose::OLDEST))
    };
    let mut packages = Vec::new();
    for need in needs {
        match need {
            Need::Engine if has("docker-ce") => {
                packages.extend(["docker-ce", "docker-ce-cli", "containerd.io", "ca-certificates"]);
            }
            Need::Engine => {
                packages.extend(["docker.io", "ca-certificates"]);
                // Since Debian 13, Docker's client is a separate package.
                packages.extend(has("docker-cli").then_some("docker-cli"));
            }
            Need::Compose => match COMPOSE.iter().find(new_enough) {
                Some(package) => packages.push(package),
                None => {
                    return missing(
                        "the configured package sources have no Docker Compose that is new enough",
                        "add Docker's own package repository (docs.docker.com/engine/install), then run \
                         `cargo xtask setup --install` again",
                    );
                }
            },
            Need::Buildx => packages.push(BUILDX.into_iter().find(|name| has(name)).unwrap_or("docker-buildx")),
            Need::PostgresServer => packages.extend(["postgresql", "postgresql-client"]),
            Need::PostgresClient => packages.push("postgresql-client"),
            Need::Git => packages.push("git"),
            Need::Curl => packages.push("curl"),
            Need::Openssl => packages.push("openssl"),
        }
    }
    Ok(packages)
}

/// `apt-cache policy` as package → the version that would be installed.
fn candidates(policy: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut package = "";
    for line in policy.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            package = name;
        } else if let Some(version) = line.trim().strip_prefix("Candidate: ")
            && version != "(none)"
        {
            found.insert(package.to_owned(), version.to_owned());
        }
    }
    found
}

/// A version without Debian's epoch: `5:27.1` is 27.1.
fn upstream(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const DOCKER: [Need; 3] = [Need::Engine, Need::Compose, Need::Buildx];

    fn packages(known: &[(&str, &str)]) -> Result<String> {
        let mut text = String::new();
        for (name, version) in known {
            let _ = writeln!(text, "{name}:\n  Installed: (none)\n  Candidate: {version}\n  Version table:");
        }
        choose(&DOCKER, &candidates(&text)).map(|packages| packages.join(" "))
    }

    #[test]
    fn ubuntu_has_compose_under_another_name() {
        let known = [
            ("docker.io", "27.5.1-0ubuntu3"),
            ("docker-compose-v2", "2.33.0"),
            ("docker-compose", "1.29.2-6"),
            ("docker-buildx", "0.20.1"),
            ("docker-ce", "(none)"),
        ];
        assert_eq!(packages(&known).unwrap(), "docker.io ca-certificates docker-compose-v2 docker-buildx");
    }

    #[test]
    fn debian_13_has_everything() {
        let known = [
            ("docker.io", "26.1.5+dfsg1-9"),
            ("docker-cli", "26.1.5"),
            ("docker-compose", "2.26.1-4"),
            ("docker-buildx", "0.13.1"),
        ];
        assert_eq!(packages(&known).unwrap(), "docker.io ca-certificates docker-cli docker-compose docker-buildx");
    }

    #[test]
    fn docker_s_own_repository_is_used_where_it_is_configured() {
        let known = [
            ("docker-ce", "5:27.1.1-1"),
            ("docker-ce-cli", "5:27.1.1-1"),
            ("docker-compose-plugin", "2.29.1-1"),
            ("docker-compose", "1.29.2-3"),
            ("docker-buildx-plugin", "0.16.1-1"),
            ("docker.io", "20.10.24"),
        ];
        assert_eq!(
            packages(&known).unwrap(),
            "docker-ce docker-ce-cli containerd.io ca-certificates docker-compose-plugin docker-buildx-plugin"
        );
    }

    /// Debian 11 and 12, and a machine whose package lists were never fetched.
    #[test]
    fn what_the_sources_do_not_offer_is_refused_with_a_hint() {
        let error = packages(&[("docker.io", "20.10.24"), ("docker-compose", "1.29.2-3")]).unwrap_err();
        assert!(error.hint().unwrap().contains("docs.docker.com"), "{error}");
        let error = packages(&[]).unwrap_err();
        assert!(error.hint().unwrap().contains("apt-get update"), "{error}");
        assert_eq!(choose(&[Need::Git], &BTreeMap::new()).unwrap(), ["git"]);
    }
}
