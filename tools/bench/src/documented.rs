//! Stacks with the health checks that projects document: every 10 or 30 seconds, over several levels of dependencies.

use std::fmt::Write as _;

use super::Outcome;
use super::stack::{Database, Stack, folder, free_ports, require_images, secret};

/// The size of a stack.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    /// A database, a back end and a front end.
    Three,
    /// Also a cache, a job that runs once, and a proxy without a check.
    Six,
    /// A database and nineteen services on four levels.
    Twenty,
}

/// A web server as a service: its name, its interval in seconds (0: no check), and what it waits for.
fn web(name: &str, interval: u32, port: Option<u16>, after: &[(&str, &str)]) -> String {
    let mut text = format!(
        "  {name}:\n    image: busybox:stable\n    init: true\n    command: [httpd, -f, -p, \"80\", -h, /etc]\n"
    );
    if let Some(port) = port {
        let _ = writeln!(text, "    ports: [\"127.0.0.1:{port}:80\"]");
    }
    if interval > 0 {
        let command = "[CMD, wget, -q, -O, /dev/null, \"http://127.0.0.1/hostname\"]";
        let _ =
            writeln!(text, "    healthcheck: {{ test: {command}, interval: {interval}s, timeout: 5s, retries: 5 }}");
    }
    if !after.is_empty() {
        let _ = writeln!(text, "    depends_on:");
    }
    for (other, condition) in after {
        let _ = writeln!(text, "      {other}: {{ condition: service_{condition} }}");
    }
    text
}

/// The services besides the database. The last one publishes the port.
fn services(size: Size, port: u16) -> String {
    let healthy = "healthy";
    match size {
        Size::Three => {
            web("backend", 30, None, &[("db", healthy)]) + &web("frontend", 30, Some(port), &[("backend", healthy)])
        }
        Size::Six => {
            let job = "  job:\n    image: busybox:stable\n    command: [\"true\"]\n    \
                       depends_on:\n      db: { condition: service_healthy }\n";
            let needs = [("db", healthy), ("cache", healthy), ("job", "completed_successfully")];
            web("cache", 10, None, &[])
                + job
                + &web("backend", 30, None, &needs)
                + &web("frontend", 30, None, &[("backend", healthy)])
                + &web("proxy", 0, Some(port), &[("backend", healthy), ("frontend", healthy)])
        }
        Size::Twenty => {
            let name = |number: u32| if number == 0 { "db".to_owned() } else { format!("s{number}") };
            let one = |number: u32| {
                let after = number.checked_sub(5).map(name);
                let after: Vec<_> = after.iter().map(|other| (other.as_str(), healthy)).collect();
                web(&name(number), 10, (number == 19).then_some(port), &after)
            };
            (1..20).map(one).collect()
        }
    }
}

impl Stack {
    /// A stack of this size.
    pub(crate) fn documented(size: Size) -> Outcome<Self> {
        require_images(["postgres:16-alpine", "busybox:stable"])?;
        let [port] = free_ports()?;
        let (kind, label) = match size {
            Size::Three => ("three", "3 services, checks every 10 and 30 s"),
            Size::Six => ("six", "6 services, checks every 10 and 30 s"),
            Size::Twenty => ("twenty", "20 services on 4 levels, checks every 10 s"),
        };
        let (sh, dir, name) = folder(kind)?;
        let database = Database { service: "db", user: "app", name: "app", password: secret() };
        let compose = format!(
            r#"name: {name}
services:
  db:
    image: postgres:16-alpine
    environment: {{ POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD: {password} }}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {{ test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 10s, timeout: 5s, retries: 5 }}
{services}volumes: {{ data: }}
"#,
            password = database.password,
            services = services(size, port),
        );
        sh.write_file("compose.yml", compose)?;
        let urls = vec![format!("http://127.0.0.1:{port}/hostname")];
        Ok(Self::new(sh, dir, name, label, database, urls))
    }
}
