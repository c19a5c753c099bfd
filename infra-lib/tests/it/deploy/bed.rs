//! A small web application behind a proxy, in a git repository, and visitors who never stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::readme::markdown::document;
use crate::support::*;

/// Answers with the release that it is, at once on SIGTERM gone: the worst case.
const APP: &str = r#"import http.server, os, signal, time
settings = dict(line.split("=", 1) for line in open("/app/release").read().split())
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
time.sleep(float(settings.get("DELAY", "0")))
if "CRASH" in settings: os._exit(4)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow": time.sleep(5)
        self.send_response(500 if self.path == "/health" and "BROKEN" in settings else 200)
        self.end_headers()
        self.wfile.write(settings["RELEASE"].encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
"#;

const CHECK: &str = "healthcheck: {test: [CMD, python3, -c, \"import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/health')\"], \
                     interval: 1s, timeout: 10s, retries: 2, start_period: 10s}";

/// The proxies that deploys can switch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
}

/// A project with a routed `backend` behind a `proxy`, and a `worker`.
pub(super) fn project(proxy: Proxy) -> TestProject {
    let (image, place, upstreams) = match proxy {
        Proxy::Nginx => ("nginx:alpine", "/etc/nginx/conf.d/default.conf", "/etc/nginx/upstreams"),
        Proxy::Caddy => ("caddy:2-alpine", "/etc/caddy/Caddyfile", "/etc/caddy/upstreams"),
    };
    // The configuration is the guide's.
    let (language, default) = match proxy {
        Proxy::Nginx => {
            ("nginx", ("upstreams/backend.conf", "map $host $backend_upstream { default backend:3000; }\n"))
        }
        Proxy::Caddy => ("caddyfile", ("upstreams/backend.caddy", "to backend:3000\n")),
    };
    let config =
        &document("docs/deploy.md").blocks().into_iter().find(|block| block.language == language).unwrap().text;
    let project = TestProject::new()
        .compose(&format!(
            "services:\n\
             \x20 backend: {{build: ./app, init: true, expose: ['3000'], {CHECK}}}\n\
             \x20 worker: {{build: ./app, init: true, command: [sh, -c, 'test ! -e /app/no-worker && exec sleep infinity']}}\n\
             \x20 proxy:\n    image: {image}\n    init: true\n    depends_on: {{backend: {{condition: service_healthy}}}}\n    ports: ['127.0.0.1:@port:web@:80']\n\
             \x20   volumes: ['./proxy/config:{place}:ro', './proxy/upstreams:{upstreams}:ro']\n"
        ))
        .file("proxy/config", config)
        .file(&format!("proxy/{}", default.0), default.1)
        .file("app/app.py", APP)
        .file("app/Dockerfile", "FROM python:3.13-slim\nCOPY . /app/\nCMD [\"python3\", \"/app/app.py\"]\n")
        .file("app/release", "RELEASE=one")
        .file(
            "infra.toml",
            "[deploy]\nwatch = \"1s\"\nready-timeout = \"40s\"\n[deploy.routes.backend]\nproxy = \"proxy\"\n",
        );
    git(&project, &["init", "-q"]);
    commit(&project);
    project
}

pub(super) fn git(project: &TestProject, args: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = command("git").current_dir(project.dir()).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(super) fn commit(project: &TestProject) {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", "change"]);
}

/// Changes the application and commits: settings such as `RELEASE=two BROKEN=1`.
pub(super) fn change(project: &TestProject, settings: &str) {
    project.write("app/release", settings);
    commit(project);
}

/// What visitors were answered: how often each text, status or error.
pub(super) type Answers = BTreeMap<String, u32>;

/// Visitors who open 50 connections a second until they are stopped.
pub(super) struct Visitors {
    over: Arc<AtomicBool>,
    all: JoinHandle<Answers>,
}

pub(super) fn visit(project: &TestProject) -> Visitors {
    let url = format!("http://127.0.0.1:{}/", project.port("web"));
    let over = Arc::new(AtomicBool::new(false));
    let is_over = over.clone();
    let all = thread::spawn(move || {
        let mut visits = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let url = url.clone();
            visits.push(thread::spawn(move || answer(&url)));
            thread::sleep(Duration::from_millis(20));
        }
        visits.into_iter().fold(Answers::new(), |mut answers, visit| {
            *answers.entry(visit.join().unwrap()).or_insert(0) += 1;
            answers
        })
    });
    Visitors { over, all }
}

impl Visitors {
    pub(super) fn end(self) -> Answers {
        self.over.store(true, Ordering::Relaxed);
        self.all.join().unwrap()
    }
}

/// What one visitor is answered.
pub(super) fn answer(url: &str) -> String {
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).http_status_as_error(false);
    match ureq::Agent::from(agent.build()).get(url).call() {
        Ok(mut response) if response.status() == 200 => response.body_mut().read_to_string().unwrap_or_default(),
        Ok(response) => response.status().to_string(),
        Err(error) => error.to_string(),
    }
}

/// Waits until the proxy answers with this release.
pub(super) fn serves(project: &TestProject, release: &str) {
    let url = format!("http://127.0.0.1:{}/", project.port("web"));
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = answer(&url);
        if answer == release {
            return;
        }
        assert!(Instant::now() < end, "{release} is to serve, not {answer}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// That every answer was from one of these releases.
pub(super) fn only(answers: &Answers, releases: &[&str]) {
    assert!(answers.values().sum::<u32>() > 50, "{answers:?}");
    let others: Vec<_> = answers.iter().filter(|(answer, _)| !releases.contains(&answer.as_str())).collect();
    assert!(others.is_empty(), "{answers:?}");
}

/// The stack with release `one` live.
pub(super) fn deployed(proxy: Proxy) -> Option<TestProject> {
    let images: &[&str] = match proxy {
        Proxy::Nginx => &["python:3.13-slim", "nginx:alpine"],
        Proxy::Caddy => &["python:3.13-slim", "caddy:2-alpine"],
    };
    if !stack_can_run(images) || tool("git").is_none() {
        return None;
    }
    let project = project(proxy);
    project.xtask(["deploy"]).limit(BUILD).end().ok().shows("is live after");
    serves(&project, "one");
    Some(project)
}
