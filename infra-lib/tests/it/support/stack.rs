//! The systems' stacks, `docker/<system>`: a copy of one, as a fresh checkout would be, and how it is asked.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::call::Call;
use super::engine::docker;
use super::guards::{images, tool};
use super::http::{Answer, get};
use super::pace::wait_until;
use super::permit;
use super::project::TestProject;

/// Longer than any build; a machine that has built nothing yet fetches packages.
pub(crate) const BUILD: Duration = Duration::from_secs(1200);

/// Words that choose the environment production.
pub(crate) const PRODUCTION: [&str; 2] = ["-e", "production"];

/// Whether there are the images that a stack is built on and runs, and the programs with which it is asked.
#[track_caller]
pub(crate) fn stack_can_run(needed: &[&str]) -> bool {
    let can = images(needed).is_some() && ["curl", "openssl", "script"].iter().all(|name| tool(name).is_some());
    if can {
        permit::wait();
    }
    can
}

/// A fresh copy of a stack with a name of its own; its ports are given with [`Stack::ports`].
pub(crate) struct Stack {
    pub(crate) project: TestProject,
}

impl Stack {
    /// `of("vrss")`. The name is the one change: all else is as in a checkout.
    pub(crate) fn of(system: &str) -> Self {
        let project = TestProject::copy_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker").join(system));
        let text = project.read("infra.toml");
        let stated = text.lines().find(|line| line.starts_with("name = ")).expect("infra.toml states the name");
        project.write("infra.toml", &text.replacen(stated, &format!("name = \"{}\"", project.name()), 1));
        Self { project }
    }

    /// Writes ports of the copy's own into a template: `ports(".env.example", &[("HTTP_PORT", "http")])`, for
    /// [`TestProject::port`] and [`Stack::at`].
    pub(crate) fn ports(self, template: &str, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |stack, (variable, key)| {
            let port = stack.project.port(key).to_string();
            stack.set(template, variable, &port)
        })
    }

    /// Gives a variable in an env file, or in its template, another value.
    #[track_caller]
    pub(crate) fn set(self, file: &str, key: &str, value: &str) -> Self {
        self.give(file, key, value);
        self
    }

    /// The same of a copy that is in use.
    #[track_caller]
    pub(crate) fn give(&self, file: &str, key: &str, value: &str) {
        let text = self.project.read(file);
        let is_it = |line: &str| line.split_once('=').is_some_and(|(known, _)| known == key);
        assert!(text.lines().any(is_it), "{file} has no {key}");
        let lines = text.lines().map(|line| if is_it(line) { format!("{key}={value}") } else { line.to_owned() });
        self.project.write(file, &(lines.collect::<Vec<_>>().join("\n") + "\n"));
    }

    /// An address on this machine: `at("frontend", "/")`.
    pub(crate) fn at(&self, port: &str, path: &str) -> String {
        let scheme = if port.ends_with("https") { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.project.port(port))
    }

    #[track_caller]
    pub(crate) fn get(&self, port: &str, path: &str) -> Answer {
        get(&self.at(port, path))
    }

    /// A call, in development.
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Call {
        self.project.xtask(args).limit(BUILD)
    }

    /// A call, in production.
    pub(crate) fn produce<const N: usize>(&self, args: [&str; N]) -> Call {
        self.project.xtask(PRODUCTION.into_iter().chain(args)).limit(BUILD)
    }

    /// What a query answers, a line for each row.
    #[track_caller]
    pub(crate) fn sql(&self, environment: &[&str], sql: &str) -> Vec<String> {
        let words = environment.iter().copied().chain(["db-shell", "-c", sql, "--", "-tA"]);
        let ended = self.project.xtask(words).end();
        ended.ok();
        ended.stdout.lines().map(str::to_owned).collect()
    }

    /// The containers of an environment as Docker inspects them, one-offs of tasks left out.
    pub(crate) fn containers(&self, environment: &str) -> Vec<Value> {
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
    pub(crate) fn container(&self, environment: &str, service: &str) -> Value {
        let found = self.containers(environment).into_iter().find(|container| service_of(container) == service);
        found.unwrap_or_else(|| panic!("{service} has no container in {environment}"))
    }

    /// Which containers and images run, and since when: what a rebuild or a restart would change.
    pub(crate) fn identity(&self, environment: &str) -> Vec<String> {
        let containers = self.containers(environment);
        let mut all: Vec<String> = containers
            .iter()
            .map(|it| format!("{} {} {} {}", service_of(it), it["Id"], it["Image"], it["State"]["StartedAt"]))
            .collect();
        all.sort();
        all
    }

    pub(crate) fn compose_name(&self, environment: &str) -> String {
        match environment {
            "development" => self.project.name().to_owned(),
            other => format!("{}-{other}", self.project.name()),
        }
    }

    /// Fails unless each of these services runs and is healthy.
    #[track_caller]
    pub(crate) fn are_healthy(&self, environment: &str, services: &[&str]) {
        // On a busy machine a check may time out, and pass again.
        wait_until("all are healthy", Duration::from_secs(20), || {
            let rows = self.project.xtask(["-e", environment, "ps", "--json"]).end().ok().outcome()["services"].clone();
            let is_healthy = |service: &&&str| {
                let mut found = rows.as_array().unwrap().iter().filter(|row| row["service"] == **service).peekable();
                found.peek().is_some() && found.all(|row| row["state"] == "healthy")
            };
            match services.iter().find(|service| !is_healthy(service)) {
                Some(service) => Err(format!("{service}: {rows}")),
                None => Ok(()),
            }
        });
    }

    /// The engine's names of what an environment has, of one kind.
    pub(crate) fn objects(&self, environment: &str, kind: &str) -> Vec<String> {
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
    pub(crate) fn variable(&self, file: &str, key: &str) -> String {
        let text = self.project.read(file);
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{file} has no {key}")).to_owned()
    }
}

pub(crate) fn service_of(container: &Value) -> &str {
    container["Config"]["Labels"]["com.docker.compose.service"].as_str().unwrap()
}

/// A part of a test; how long it took is what `--nocapture` shows.
pub(crate) fn part<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = run();
    tell(&format!("{name}: {:.1} s", began.elapsed().as_secs_f32()));
    result
}

/// A line among those that `--nocapture` shows.
#[expect(clippy::print_stderr, reason = "a measurement; the test runner shows or hides it")]
pub(crate) fn tell(line: &str) {
    eprintln!("{}: {line}", std::thread::current().name().unwrap_or_default());
}
