//! A copy of the stack, and how it is asked.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::http::{Answer, get};
use crate::support::*;

/// A fresh copy of the stack with a name and ports of its own.
pub(super) struct Stack {
    pub(super) project: TestProject,
    /// Held, so that `setup` has to find another port for the database.
    taken: TcpListener,
}

pub(super) const PRODUCTION: [&str; 2] = ["-e", "production"];

/// Where the repository has it.
fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/vrss")
}

impl Stack {
    /// Only what must be this copy's own is changed: its name and its ports, in the files that a checkout has.
    pub(super) fn fresh() -> Self {
        let project = TestProject::copy_of(&source());
        let named = project.read("infra.toml").replace("name = \"vrss\"", &format!("name = \"{}\"", project.name()));
        assert!(named.contains(project.name()), "infra.toml states the name");
        project.write("infra.toml", &named);
        let taken = taken();
        let port = taken.local_addr().unwrap().port();
        let templates = [
            (".env.example", &[("BACKEND_PORT_PUBLISHED", "backend"), ("FRONTEND_PORT_PUBLISHED", "frontend")][..]),
            (".env.production.example", &[("HTTP_PORT_PUBLISHED", "http"), ("HTTPS_PORT_PUBLISHED", "https")]),
        ];
        for (file, keys) in templates {
            let ports = keys.iter().map(|(variable, key)| (*variable, project.port(key)));
            let text = project.read(file);
            let text = ports.chain([("DB_PORT_PUBLISHED", port)]).fold(text, |text, (key, port)| set(&text, key, port));
            project.write(file, &text);
        }
        Self { project, taken }
    }

    pub(super) fn taken_port(&self) -> u16 {
        self.taken.local_addr().unwrap().port()
    }

    /// An address on this machine: `at("frontend", "/")`.
    pub(super) fn at(&self, port: &str, path: &str) -> String {
        let scheme = if port == "https" { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.project.port(port))
    }

    #[track_caller]
    pub(super) fn get(&self, port: &str, path: &str) -> Answer {
        get(&self.at(port, path))
    }

    /// A call, in development.
    pub(super) fn run<const N: usize>(&self, args: [&str; N]) -> Call {
        self.project.xtask(args)
    }

    /// A call, in production.
    pub(super) fn produce<const N: usize>(&self, args: [&str; N]) -> Call {
        self.project.xtask(PRODUCTION.into_iter().chain(args))
    }

    /// What a query answers, a line for each row.
    #[track_caller]
    pub(super) fn sql(&self, environment: &[&str], sql: &str) -> Vec<String> {
        let words = environment.iter().copied().chain(["db-shell", "-c", sql, "--", "-tA"]);
        let ended = self.project.xtask(words).end();
        ended.ok();
        ended.stdout.lines().map(str::to_owned).collect()
    }

    /// The containers of an environment as Docker inspects them, one-offs of tasks left out.
    pub(super) fn containers(&self, environment: &str) -> Vec<Value> {
        let project = format!("label=com.docker.compose.project={}", self.compose_name(environment));
        let ids = docker([
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            &project,
            "--filter",
            "label=com.docker.compose.oneoff=False",
        ]);
        let ids: Vec<&str> = ids.lines().collect();
        assert!(!ids.is_empty(), "there are containers in {environment}");
        serde_json::from_str(&docker(["inspect"].iter().chain(&ids))).unwrap()
    }

    #[track_caller]
    pub(super) fn container(&self, environment: &str, service: &str) -> Value {
        let found = self.containers(environment).into_iter().find(|container| service_of(container) == service);
        found.unwrap_or_else(|| panic!("{service} has no container in {environment}"))
    }

    /// Which containers and images run, and since when: what a rebuild or a restart would change.
    pub(super) fn identity(&self, environment: &str) -> Vec<String> {
        let containers = self.containers(environment);
        let mut all: Vec<String> = containers
            .iter()
            .map(|it| format!("{} {} {} {}", service_of(it), it["Id"], it["Image"], it["State"]["StartedAt"]))
            .collect();
        all.sort();
        all
    }

    pub(super) fn compose_name(&self, environment: &str) -> String {
        match environment {
            "development" => self.project.name().to_owned(),
            other => format!("{}-{other}", self.project.name()),
        }
    }

    /// The engine's names of what an environment has, of one kind.
    pub(super) fn objects(&self, environment: &str, kind: &str) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}", self.compose_name(environment));
        let (list, format): (&[&str], _) = match kind {
            "container" => (&["ps", "-a"], "{{.Names}}"),
            "image" => (&["image", "ls"], "{{.Repository}}:{{.Tag}}"),
            kind => (&[kind, "ls"], "{{.Name}}"),
        };
        let names = docker(list.iter().copied().chain(["--filter", &label, "--format", format]));
        names.lines().map(str::to_owned).collect()
    }

    /// The value of a variable in an env file.
    #[track_caller]
    pub(super) fn variable(&self, file: &str, key: &str) -> String {
        let text = self.project.read(file);
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{file} has no {key}")).to_owned()
    }
}

pub(super) fn service_of(container: &Value) -> &str {
    container["Config"]["Labels"]["com.docker.compose.service"].as_str().unwrap()
}

/// A port that is not in the range of the other tests, with something listening on it.
fn taken() -> TcpListener {
    let offset = u16::try_from(std::process::id() % 2000).unwrap();
    let ports = (29_500 + offset..32_000).step_by(16);
    ports.map(|port| TcpListener::bind(("127.0.0.1", port))).find_map(Result::ok).expect("a free port")
}

fn set(text: &str, key: &str, port: u16) -> String {
    let lines = text.lines().map(|line| match line.split_once('=') {
        Some((known, _)) if known == key => format!("{key}={port}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// A part of a test; how long it took is what `--nocapture` shows.
pub(super) fn part<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = run();
    tell(&format!("{name}: {:.1} s", began.elapsed().as_secs_f32()));
    result
}

/// A line among those that `--nocapture` shows.
#[expect(clippy::print_stderr, reason = "a measurement; the test runner shows or hides it")]
pub(super) fn tell(line: &str) {
    eprintln!("{}: {line}", std::thread::current().name().unwrap_or_default());
}
