//! Debian, Ubuntu and what is made of them.

use std::collections::BTreeMap;

use crate::compose::numbers;
use crate::error::{Error, Result};
use crate::exec::{Invocation, Runner};
use crate::exit::Exit;

use super::manager::{docker_group, start_engine};
use super::{Need, Steps};

/// The release of Debian that has what this one lacks.
const NEXT_RELEASE: &str = "trixie";
const LACKING_RELEASE: &str = "bookworm";
/// What is taken from there, and nothing else.
const FROM_NEXT: [&str; 4] = ["docker.io", "docker-cli", "docker-compose", "docker-buildx"];
const COMPOSE: [&str; 3] = ["docker-compose-plugin", "docker-compose-v2", "docker-compose"];
const ENGINES: [&str; 4] = ["docker-ce", "docker-ce-cli", "docker.io", "docker-cli"];
const BUILDX: [&str; 2] = ["docker-buildx-plugin", "docker-buildx"];

pub(super) fn steps(runner: &Runner, needs: &[Need]) -> Result<Steps> {
    let asked = ENGINES.iter().chain(&COMPOSE).chain(&BUILDX);
    let policy = Invocation::new("apt-cache").arg("policy").args(asked.copied()).env("LC_ALL", "C");
    let candidates = runner.read(&policy).map(|output| candidates(&output.text())).unwrap_or_default();
    let release = Release::of(&std::fs::read_to_string("/etc/os-release").unwrap_or_default());
    let choice = choose(needs, &candidates, &release)?;

    let mut steps = Steps::default();
    let dockerd = if choice.packages.contains(&"docker-ce") { "/usr/bin/dockerd" } else { "/usr/sbin/dockerd" };
    if choice.next_release {
        steps.commands.extend(add_next_release(&mirror()));
        steps.because = Some(
            "this release has Compose 1 only, which cannot read today's files; these packages come from the next one, and nothing else does",
        );
    }
    steps.commands.push(apt_get().arg("update"));
    steps.commands.push(apt_get().args(["install", "-y", "--no-install-recommends"]).args(choice.packages));
    if needs.contains(&Need::Engine) {
        steps.start = start_engine(dockerd);
        steps.remarks.extend(docker_group());
    }
    if needs.contains(&Need::PostgresServer) {
        steps.remarks.push(
            "the package also makes a cluster of the system's own, on port 5432 where that is free; this project does not use it \
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

/// What was chosen.
#[derive(Debug, Default, PartialEq)]
struct Choice {
    packages: Vec<&'static str>,
    next_release: bool,
}

fn choose(needs: &[Need], candidates: &BTreeMap<String, String>, release: &Release) -> Result<Choice> {
    let mut choice = Choice::default();
    let has = |name: &str| candidates.contains_key(name);
    let new_enough = |name: &&&str| {
        candidates
            .get(**name)
            .is_some_and(|version| numbers(upstream(version)) >= numbers(crate::compose::Compose::OLDEST))
    };
    let docker = needs.iter().any(|need| matches!(need, Need::Engine | Need::Compose | Need::Buildx));
    // A fresh image of a distribution has no package lists before `apt-get update`; then its release says what there is.
    let known = !candidates.is_empty();
    let compose = COMPOSE.iter().find(new_enough).copied();
    choice.next_release = docker && release.lacks_compose() && compose.is_none();
    let packages = &mut choice.packages;
    if choice.next_release {
        packages.extend(FROM_NEXT);
        packages.push("ca-certificates");
    } else if docker {
        if needs.contains(&Need::Engine) {
            if has("docker-ce") {
                packages.extend(["docker-ce", "docker-ce-cli", "containerd.io"]);
            } else {
                packages.push("docker.io");
                if has("docker-cli") || !known && release.splits_client() {
                    packages.push("docker-cli");
                }
            }
            packages.push("ca-certificates");
        }
        if needs.contains(&Need::Compose) {
            let fallback = if release.is_ubuntu { "docker-compose-v2" } else { "docker-compose" };
            packages.push(match compose {
                Some(package) => package,
                None if !known => fallback,
                None => {
                    return Err(Error::new(Exit::Unavailable, "this release has no Docker Compose that is new enough")
                        .with_hint("add Docker's own package repository (docs.docker.com/engine/install), then run `cargo xtask setup --install` again"));
                }
            });
        }
        if needs.contains(&Need::Buildx) {
            packages.push(BUILDX.into_iter().find(|name| has(name)).unwrap_or("docker-buildx"));
        }
    }
    for need in needs {
        match need {
            Need::PostgresServer => packages.extend(["postgresql", "postgresql-client"]),
            Need::PostgresClient => packages.push("postgresql-client"),
            Need::Git => packages.push("git"),
            Need::Curl => packages.push("curl"),
            Need::Openssl => packages.push("openssl"),
            Need::Engine | Need::Compose | Need::Buildx => {}
        }
    }
    Ok(choice)
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

/// What `/etc/os-release` says.
#[derive(Debug, Default)]
struct Release {
    is_ubuntu: bool,
    codename: String,
    number: u32,
}

impl Release {
    fn of(text: &str) -> Self {
        let get = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches('"').to_owned()
        };
        let number = get("VERSION_ID").split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        Self {
            is_ubuntu: get("ID") == "ubuntu" || get("ID_LIKE").contains("ubuntu"),
            codename: get("VERSION_CODENAME"),
            number,
        }
    }

    /// Debian 12 has Compose 1 and an engine of 2022; its successor's packages work on it.
    fn lacks_compose(&self) -> bool {
        !self.is_ubuntu && self.codename == LACKING_RELEASE
    }

    /// Since Debian 13, Docker's client is a package of its own.
    fn splits_client(&self) -> bool {
        !self.is_ubuntu && self.number >= 13
    }
}

/// The mirror that this machine already uses.
fn mirror() -> String {
    let files = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let text: String = files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    mirror_of(&text).unwrap_or_else(|| "http://deb.debian.org/debian".to_owned())
}

fn mirror_of(sources: &str) -> Option<String> {
    let mut words = sources
        .lines()
        .filter(|line| line.starts_with("URIs:") || line.starts_with("deb "))
        .flat_map(str::split_whitespace);
    words.find(|word| word.contains("://") && !word.contains("security")).map(str::to_owned)
}

/// The next release as a source of these packages alone: everything else of it has a lower priority than what is here.
fn add_next_release(mirror: &str) -> [Invocation; 2] {
    let source =
        format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {NEXT_RELEASE} main\n");
    let pin = format!(
        "Package: *\nPin: release n={NEXT_RELEASE}\nPin-Priority: 100\n\nPackage: {}\nPin: release n={NEXT_RELEASE}\nPin-Priority: 600\n",
        FROM_NEXT.join(" ")
    );
    // Without a shell, awk is what every Debian has that writes a text into a file.
    let write = |path: &str, text: &str| {
        let text = format!("text={}", text.replace('\n', "\\n"));
        Invocation::new("awk").args([
            "-v",
            &format!("file={path}"),
            "-v",
            &text,
            "BEGIN { printf \"%s\", text > file }",
        ])
    };
    [
        write(&format!("/etc/apt/sources.list.d/docker-from-{NEXT_RELEASE}.list"), &source),
        write(&format!("/etc/apt/preferences.d/docker-from-{NEXT_RELEASE}"), &pin),
    ]
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const DOCKER: [Need; 3] = [Need::Engine, Need::Compose, Need::Buildx];

    fn release(id: &str, codename: &str, number: u32) -> Release {
        Release::of(&format!("ID={id}\nVERSION_ID=\"{number}\"\nVERSION_CODENAME={codename}\n"))
    }

    fn packages(policy: &str, release: &Release) -> String {
        choose(&DOCKER, &candidates(policy), release).unwrap().packages.join(" ")
    }

    fn policy(packages: &[(&str, &str)]) -> String {
        let mut text = String::new();
        for (name, version) in packages {
            let _ = writeln!(text, "{name}:\n  Installed: (none)\n  Candidate: {version}\n  Version table:");
        }
        text
    }

    #[test]
    fn ubuntu_has_compose_under_a_name_of_its_own() {
        let known = policy(&[
            ("docker.io", "27.5.1-0ubuntu3"),
            ("docker-compose-v2", "2.33.0"),
            ("docker-compose", "1.29.2-6"),
            ("docker-buildx", "0.20.1"),
            ("docker-ce", "(none)"),
        ]);
        assert_eq!(
            packages(&known, &release("ubuntu", "noble", 24)),
            "docker.io ca-certificates docker-compose-v2 docker-buildx"
        );
        assert_eq!(
            packages("", &release("ubuntu", "noble", 24)),
            "docker.io ca-certificates docker-compose-v2 docker-buildx"
        );
    }

    #[test]
    fn debian_13_has_everything() {
        let known = policy(&[
            ("docker.io", "26.1.5+dfsg1-9"),
            ("docker-cli", "26.1.5"),
            ("docker-compose", "2.26.1-4"),
            ("docker-buildx", "0.13.1"),
        ]);
        let expected = "docker.io docker-cli ca-certificates docker-compose docker-buildx";
        assert_eq!(packages(&known, &release("debian", "trixie", 13)), expected);
        assert_eq!(packages("", &release("debian", "trixie", 13)), expected);
    }

    #[test]
    fn docker_s_own_repository_is_used_where_it_is_there() {
        let known = policy(&[
            ("docker-ce", "5:27.1.1-1"),
            ("docker-ce-cli", "5:27.1.1-1"),
            ("docker-compose-plugin", "2.29.1-1"),
            ("docker-compose", "1.29.2-3"),
            ("docker-buildx-plugin", "0.16.1-1"),
            ("docker.io", "20.10.24"),
        ]);
        let chosen = choose(&DOCKER, &candidates(&known), &release("debian", "bookworm", 12)).unwrap();
        assert_eq!(
            chosen.packages.join(" "),
            "docker-ce docker-ce-cli containerd.io ca-certificates docker-compose-plugin docker-buildx-plugin"
        );
        assert!(!chosen.next_release);
    }

    #[test]
    fn debian_12_takes_four_packages_from_its_successor() {
        let known = policy(&[("docker.io", "20.10.24"), ("docker-compose", "1.29.2-3")]);
        let chosen = choose(&DOCKER, &candidates(&known), &release("debian", "bookworm", 12)).unwrap();
        assert!(chosen.next_release);
        assert_eq!(chosen.packages.join(" "), "docker.io docker-cli docker-compose docker-buildx ca-certificates");
        let sources = "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n";
        assert_eq!(mirror_of(sources).as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(
            mirror_of("deb [arch=amd64] http://a.example/debian bookworm main\n").as_deref(),
            Some("http://a.example/debian")
        );
    }

    #[test]
    fn a_release_without_any_compose_2_is_refused_with_a_way_out() {
        let known = policy(&[("docker.io", "20.10.5"), ("docker-compose", "1.25.0-1")]);
        assert!(choose(&DOCKER, &candidates(&known), &release("debian", "bullseye", 11)).is_err());
    }
}
