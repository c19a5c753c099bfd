//! Bare Debian, the one image that no Dockerfile makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use xshell::{Shell, cmd};

use super::{LABEL, Outcome, REVISION, digest, quietly, say};

pub(super) const NAME: &str = "infra-standin/debian:latest";
const SUITE: &str = "bookworm";

/// Debian with what this machine needs to reach its package registries: an image built on it needs that too.
pub(super) struct Debian {
    /// The files of this machine, each with its place in the image.
    settings: Vec<(PathBuf, PathBuf)>,
}

impl Debian {
    /// Settings of the machine, never of a user: those may hold tokens.
    pub(super) fn here(sh: &Shell) -> Self {
        let certificates = "etc/ssl/certs/ca-certificates.crt";
        let mut files = vec![
            (Path::new("/").join(certificates), certificates.into()),
            ("/etc/pip.conf".into(), "etc/pip.conf".into()),
            ("/etc/npmrc".into(), "usr/local/etc/npmrc".into()),
        ];
        for folder in ["etc/apt/apt.conf.d", "usr/local/share/ca-certificates"] {
            for path in sh.read_dir(Path::new("/").join(folder)).unwrap_or_default() {
                let certificate = path.extension().is_some_and(|it| it == "crt");
                if certificate || sh.read_file(&path).is_ok_and(|it| it.starts_with("Acquire::")) {
                    let to = Path::new(folder).join(path.file_name().unwrap_or_default());
                    files.push((path, to));
                }
            }
        }
        files.retain(|(from, _)| from.is_file());
        Self { settings: files }
    }

    /// Certificates and registry settings change with the machine.
    pub(super) fn revision(&self) -> Outcome<String> {
        digest(SUITE, self.settings.iter().map(|(from, _)| from))
    }

    /// Installs the suite into a folder, puts the settings in, and hands the whole to the engine.
    pub(super) fn import(&self, sh: &Shell) -> Outcome<()> {
        let started = Instant::now();
        let sources = sources(sh)?;
        let mirror = sources.iter().find(|(_, suite)| suite == SUITE).map(|(mirror, _)| mirror);
        let mirror = mirror.ok_or_else(|| format!("apt's sources do not name {SUITE}"))?;

        let work = sh.create_temp_dir()?;
        let root = work.path().join("root");
        let debootstrap = cmd!(sh, "debootstrap --variant=minbase --include=ca-certificates");
        quietly(debootstrap.arg(SUITE).arg(&root).arg(mirror))
            .map_err(|error| format!("stand-ins are made where debootstrap works: {error}"))?;

        let line = |(mirror, suite): &(String, String)| format!("deb {mirror} {suite} main\n");
        let lines: Vec<_> = sources.iter().map(line).collect();
        sh.write_file(root.join("etc/apt/sources.list"), lines.concat())?;
        for (from, to) in &self.settings {
            let to = root.join(to);
            sh.create_dir(to.parent().unwrap_or(&root))?;
            fs::copy(from, to)?;
        }

        let archive = work.path().join("root.tar");
        let useless = ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale/*"]
            .into_iter()
            .chain(["var/cache/apt", "var/lib/apt/lists", "var/log"])
            .map(|folder| format!("--exclude=./{folder}/*"));
        let tar = cmd!(sh, "tar --create --file {archive} --directory {root}").args(useless);
        quietly(tar.arg("."))?;
        let import = cmd!(sh, "docker import")
            .args(["--change", &format!("LABEL {LABEL}=true {REVISION}={}", self.revision()?)])
            .args(["--change", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
        quietly(import.arg(archive).arg(NAME))?;
        say(NAME, started)
    }
}

/// The package sources of this machine: each mirror with its suite, in whichever format apt has them.
fn sources(sh: &Shell) -> Outcome<BTreeSet<(String, String)>> {
    let targets = cmd!(sh, "apt-get indextargets --format").args([
        "$(REPO_URI) $(CODENAME)",
        "Created-By: Packages",
        "Component: main",
    ]);
    let listed = targets.quiet().read()?;
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.map(|(mirror, suite)| (mirror.to_owned(), suite.to_owned())).collect())
}
