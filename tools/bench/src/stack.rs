//! Throw-away stacks to measure on.

use std::error::Error;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use xshell::{Cmd, Shell, TempDir, cmd};

use super::timing::{self, succeeds};
use super::{Outcome, Site};

/// A compose project of our own in a folder of our own. Dropped, it leaves nothing behind.
pub(crate) struct Stack {
    /// A shell in the project's folder.
    pub(crate) sh: Shell,
    pub(crate) label: String,
    pub(crate) services: &'static [&'static str],
    pub(crate) database: Database,
    /// What answers when the stack is ready.
    pub(crate) urls: Vec<String>,
    /// Who must reach whom inside the network.
    pub(crate) reaches: &'static [(&'static str, &'static str, u16)],
    pub(crate) network: String,
    name: String,
    /// Removed last.
    _dir: TempDir,
}

pub(crate) struct Database {
    pub(crate) service: &'static str,
    pub(crate) user: &'static str,
    pub(crate) name: &'static str,
    pub(crate) password: String,
}

/// How soon a health check is asked for the first time.
#[derive(Clone, Copy)]
pub(crate) enum Checks {
    /// After its interval of five seconds, as in most compose files.
    Usual,
    /// Every half second while the container starts, as this repository's stacks do.
    Eager,
}

impl Stack {
    /// A stack that is started and asked for its pages and its database, and for nothing else.
    pub(crate) fn new(
        sh: Shell,
        dir: TempDir,
        name: String,
        label: &str,
        database: Database,
        urls: Vec<String>,
    ) -> Self {
        let network = format!("{name}_default");
        Self { sh, label: label.to_owned(), services: &[], database, urls, reaches: &[], network, name, _dir: dir }
    }

    /// A PostgreSQL, and a web server that depends on it.
    pub(crate) fn small(checks: Checks) -> Outcome<Self> {
        require_images(["postgres:16-alpine", "busybox:stable"])?;
        let [db, web] = free_ports()?;
        let (label, start) = match checks {
            Checks::Usual => ("db and web, checks every 5 s", ""),
            Checks::Eager => ("db and web, `start_interval: 500ms`", "start_period: 30s\n      start_interval: 500ms"),
        };
        let (sh, dir, name) = folder("small")?;
        let database = Database { service: "db", user: "app", name: "app", password: secret() };
        let check = format!("interval: 5s\n      timeout: 3s\n      retries: 10\n      {start}");
        let compose = format!(
            r#"name: {name}
services:
  db:
    image: postgres:16-alpine
    environment: {{ POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD: {password} }}
    volumes: ["data:/var/lib/postgresql/data"]
    ports: ["127.0.0.1:{db}:5432"]
    healthcheck:
      test: [CMD, pg_isready, -h, 127.0.0.1, -U, app]
      {check}
  web:
    image: busybox:stable
    init: true
    command: [httpd, -f, -p, "80", -h, /etc]
    ports: ["127.0.0.1:{web}:80"]
    depends_on: {{ db: {{ condition: service_healthy }} }}
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1/hostname"]
      {check}
volumes: {{ data: }}
"#,
            password = database.password,
        );
        sh.write_file("compose.yml", compose)?;
        Ok(Self {
            sh,
            label: label.to_owned(),
            services: &["db", "web"],
            database,
            urls: vec![format!("http://127.0.0.1:{web}/hostname")],
            reaches: &[("web", "db", 5432)],
            network: format!("{name}_default"),
            name,
            _dir: dir,
        })
    }

    /// A PostgreSQL of this image alone.
    pub(crate) fn database(image: &str) -> Outcome<Self> {
        require_images([image])?;
        let (sh, dir, name) = folder("db")?;
        let database = Database { service: "postgres", user: "app", name: "app", password: secret() };
        let password = &database.password;
        let compose = format!(
            "name: {name}
services:
  postgres:
    image: {image}
    environment: {{ POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD: {password} }}
    healthcheck: {{ test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 1s, retries: 60 }}
"
        );
        sh.write_file("compose.yml", compose)?;
        Ok(Self {
            sh,
            label: image.to_owned(),
            services: &["postgres"],
            database,
            urls: Vec::new(),
            reaches: &[],
            network: format!("{name}_default"),
            name,
            _dir: dir,
        })
    }

    /// This repository's VRSS stack, in its development environment, from images that are there.
    pub(crate) fn vrss(site: &Site) -> Outcome<Self> {
        require_images(["postgres:16-alpine", "vrss-backend:dev", "vrss-frontend:dev"])?;
        let [db, backend, frontend] = free_ports()?;
        let (sh, dir, name) = folder("vrss")?;
        let files = cmd!(site.sh, "git ls-files docker/vrss").quiet().read()?;
        for file in files.lines() {
            let to = dir.path().join(Path::new(file).strip_prefix("docker/vrss")?);
            sh.create_dir(to.parent().unwrap_or(dir.path()))?;
            std::fs::copy(site.sh.current_dir().join(file), to)?;
        }
        let manifest = sh.read_file("infra.toml")?;
        sh.write_file("infra.toml", manifest.replacen("name = \"vrss\"", &format!("name = \"{name}\""), 1))?;
        let database = Database { service: "db", user: "vrss_user", name: "vrss", password: secret() };
        let values = [
            ("COMPOSE_PROJECT_NAME", name.clone()),
            ("IMAGE_PREFIX", "vrss".to_owned()),
            ("DB_PASSWORD", database.password.clone()),
            ("JWT_SECRET", secret()),
            ("DB_PORT_PUBLISHED", db.to_string()),
            ("BACKEND_PORT_PUBLISHED", backend.to_string()),
            ("FRONTEND_PORT_PUBLISHED", frontend.to_string()),
        ];
        let env = filled(&sh.read_file(".env.example")?, &values);
        sh.write_file(".env", env)?;
        Ok(Self {
            sh,
            label: "docker/vrss".to_owned(),
            services: &["db", "backend", "frontend"],
            database,
            urls: vec![format!("http://127.0.0.1:{backend}/health"), format!("http://127.0.0.1:{frontend}/")],
            reaches: &[("backend", "db", 5432), ("frontend", "backend", 3000)],
            network: format!("{name}_vrss_network"),
            name,
            _dir: dir,
        })
    }

    /// The call that a user of Compose makes in this folder.
    pub(crate) fn compose<'a>(&'a self, args: &'a [&'a str]) -> Cmd<'a> {
        cmd!(self.sh, "docker compose {args...}")
    }

    /// Our command in this folder.
    pub(crate) fn ours<'a>(&'a self, site: &Site, args: &'a [&'a str]) -> Cmd<'a> {
        let xtask = &site.xtask;
        cmd!(self.sh, "{xtask} {args...}")
    }

    /// Writes a script into the folder, and returns how it is called.
    pub(crate) fn script(&self, name: &str, text: String) -> Outcome<Cmd<'_>> {
        self.sh.write_file(name, text)?;
        Ok(cmd!(self.sh, "sh {name}"))
    }

    /// Up and healthy, without taking the time.
    pub(crate) fn up(&self) -> Outcome<()> {
        timing::run(self.compose(&["up", "-d", "--wait"])).map(|_| ())
    }

    /// All containers stopped and kept.
    pub(crate) fn stop(&self) -> Outcome<()> {
        timing::run(self.compose(&["stop", "--timeout", "20"])).map(|_| ())
    }

    /// Nothing left: no container, no network, no data.
    pub(crate) fn down(&self) -> Outcome<()> {
        timing::run(self.compose(&["down", "--volumes", "--remove-orphans", "--timeout", "5"])).map(|_| ())
    }

    /// Whether what a user of the stack wants works at this moment: a login over TCP, and every page.
    pub(crate) fn works(&self) -> bool {
        let Database { service, user, name, password } = &self.database;
        let login = cmd!(
            self.sh,
            "docker compose exec -T -e PGPASSWORD={password} {service} psql -Xqw -h 127.0.0.1 -U {user} -d {name} -c 'SELECT 1'"
        );
        let page = |url: &String| succeeds(cmd!(self.sh, "curl -fs -m 5 -o /dev/null {url}"));
        self.urls.iter().all(page) && succeeds(login)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Err(error) = self.down().or_else(|_| self.down()) {
            let _ = writeln!(std::io::stderr(), "bench: remove the compose project {} by hand: {error}", self.name);
        }
    }
}

/// Why something was not measured: an image is missing. Any other trouble is an error.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the image {} is missing", self.0)
    }
}

impl Error for Missing {}

/// Pulling or building would be measured with the rest.
pub(crate) fn require_images<const N: usize>(images: [&str; N]) -> Outcome<()> {
    let sh = Shell::new()?;
    match images.into_iter().find(|image| !succeeds(cmd!(sh, "docker image inspect {image}"))) {
        Some(image) => Err(Missing(image.to_owned()).into()),
        None => Ok(()),
    }
}

/// A folder, a shell in it, and a unique project name.
pub(crate) fn folder(kind: &str) -> Outcome<(Shell, TempDir, String)> {
    let sh = Shell::new()?;
    let dir = sh.create_temp_dir()?;
    sh.change_dir(dir.path());
    // The port makes the name unique among stacks of the same process too.
    let [number] = free_ports()?;
    Ok((sh, dir, format!("infra-bench-{kind}-{}-{number}", std::process::id())))
}

/// An env file made from its template, with these values.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let is_ours = |line: &&str| values.iter().any(|(key, _)| line.split_once('=').is_some_and(|(it, _)| it == *key));
    let theirs = template.lines().filter(|line| !is_ours(line)).map(str::to_owned);
    let ours = values.iter().map(|(key, value)| format!("{key}={value}"));
    theirs.chain(ours).map(|line| line + "\n").collect()
}

/// Ports that are free now.
pub(crate) fn free_ports<const N: usize>() -> Outcome<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        // Held until all are found: else the next one could be the same.
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// Long enough for any check, and nothing worth keeping: the stack listens on the loopback address for a few minutes.
pub(crate) fn secret() -> String {
    "bench0123456789abcdef0123456789abcdef".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_without_stating_a_key_twice() {
        let values = [("B", "2".to_owned()), ("C", "3".to_owned())];
        assert_eq!(filled("# B=x\nA=1\nB=\n", &values), "# B=x\nA=1\nB=2\nC=3\n");
    }

    #[test]
    fn ports_are_all_different() {
        let [a, b, c] = free_ports().unwrap();
        assert!(a != b && b != c && a != c);
    }
}
