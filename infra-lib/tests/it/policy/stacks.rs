//! The systems in `docker/`: each one's production passes, and bad copies of it do not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use infra_lib::config::Config;

use super::{PRODUCTION, errors};
use crate::support::*;

/// The folders with an `infra.toml`.
fn systems() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker");
    let mut found: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.join("infra.toml").is_file());
    found.sort();
    assert!(found.len() >= 4, "{found:?}");
    found
}

#[test]
fn every_systems_production_passes() {
    let Some(()) = compose() else { return };
    for system in systems() {
        let project = TestProject::copy_of(&system);
        let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
        assert_eq!(errors(&ended), BTreeSet::new(), "{}: {ended}", system.display());
        assert_eq!(ended.ok().outcome()["production"], true, "{}", system.display());
        // Nothing is accepted that is not there.
        ended.never_says("allow-unused");
        project.xtask(["policy"]).end().ok();
    }
}

/// What an overlay makes of a service, and what is then found.
const BAD: [(&str, &[&str]); 11] = [
    ("image: registry.example.org/app:latest", &["image-latest"]),
    ("image: registry.example.org/app", &["image-latest"]),
    ("user: root", &["user-root"]),
    ("environment: {A_SECRET: \"${@secret@:-hunter2}\"}", &["secret-default"]),
    ("environment: {A_SECRET: hunter2}", &["secret-committed"]),
    ("ports: [\"39999:39999\"]", &["port-published"]),
    ("volumes: [\".:/checkout:ro\"]", &["source-mount"]),
    ("privileged: true", &["privileged"]),
    ("healthcheck: !override {disable: true}", &["health-check-missing"]),
    ("logging: !override {driver: json-file}", &["log-rotation-missing"]),
    ("deploy: !override {}", &["cpu-limit-missing", "memory-limit-missing"]),
];

/// A copy whose production has an overlay more, which each case writes.
struct Bad {
    project: TestProject,
    /// The service that answers requests.
    app: &'static str,
    /// The database, where it is a service of ours.
    database: Option<String>,
    /// The name of a secret that the templates document.
    secret: String,
}

impl Bad {
    fn of(system: &Path) -> Self {
        let project = TestProject::copy_of(system);
        let manifest = Config::parse("infra.toml".into(), &project.read("infra.toml")).unwrap();
        let production = &manifest.environments["production"];
        let mut files = if production.files.is_empty() { manifest.compose.files } else { production.files.clone() };
        let text: String = files.iter().map(|file| project.read(file.as_str())).collect();
        files.push("bad.yml".into());

        let head = "[environments.production]\n";
        let stated = project.read("infra.toml");
        let (before, after) = stated.split_once(head).unwrap();
        let (own, rest) = after.split_once("\n[").unwrap();
        let own: Vec<&str> = own.lines().filter(|line| !line.starts_with("files")).collect();
        project.write("infra.toml", &format!("{before}{head}files = {files:?}\n{}\n[{rest}", own.join("\n")));

        let template = production.env_files.last().map(|path| system.join(format!("{path}.example"))).unwrap();
        let template = std::fs::read_to_string(template).unwrap();
        let mut keys = template
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(key, _)| key);
        let secret = keys.find(|key| key.ends_with("SECRET") || key.ends_with("PASSWORD")).unwrap().to_owned();
        let own = production.database.as_ref().unwrap_or(&manifest.database);
        let app = ["backend", "api"].into_iter().find(|name| text.contains(&format!("\n  {name}:\n"))).unwrap();
        Self { database: own.service.clone(), project, app, secret }
    }

    /// The codes of the errors, each of which stands in the overlay.
    #[track_caller]
    fn finds(&self, service: &str, line: &str, codes: &[&str]) {
        let line = line.replace("@secret@", &self.secret);
        self.project.write("bad.yml", &format!("services:\n  {service}:\n    {line}\n"));
        let ended = self.project.xtask(PRODUCTION).args(["policy", "--json"]).end();
        assert_eq!(errors(&ended), codes.iter().map(|&code| code.to_owned()).collect(), "{line}: {ended}");
        let findings = super::findings(ended.code(2).never_says("hunter2"));
        let mut of_errors = findings.iter().filter(|it| it.ends_with(" error"));
        assert!(of_errors.all(|it| it.starts_with("bad.yml:3 ")), "{line}: {findings:?}");
    }
}

#[test]
fn bad_copies_of_every_system_have_exactly_their_findings() {
    let Some(()) = compose() else { return };
    for system in systems() {
        let bad = Bad::of(&system);
        for (line, codes) in sample(&BAD, 3) {
            bad.finds(bad.app, line, codes);
        }
        if let Some(database) = &bad.database {
            bad.finds(database, "ports: [\"127.0.0.1:39998:5432\"]", &["database-port-published"]);
            bad.finds(database, "networks: !override [outside]\nnetworks:\n  outside: {}", &["database-network-open"]);
        } else {
            let url = "environment: {DATABASE_URL: \"postgres://app@db.example.org/app?sslmode=prefer\"}";
            bad.finds(bad.app, url, &["database-tls"]);
        }
    }
}
