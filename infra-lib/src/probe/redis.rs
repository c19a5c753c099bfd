//! Redis and compatible servers: PING.

use std::io::{self, BufRead as _, BufReader, Write as _};

use crate::compose::Container;
use crate::exec::{ExecError, Invocation};

use super::configured::configured;
use super::ports::{is_redis, published};
use super::tcp::connect;
use super::{ANSWER, Check, Known, PROGRAM, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "redis";

struct Redis {
    name: String,
    place: Place,
}

enum Place {
    Address(String),
    /// It publishes no port.
    Inside(Box<Container>),
}

/// Clients that images contain.
const CLIENTS: [&str; 3] = ["redis-cli", "valkey-cli", "keydb-cli"];
const PORT: u16 = 6379;

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    let published = published(snapshot);
    for (_, container) in snapshot.running().filter(|(service, _)| is_redis(service)) {
        let port = published.iter().find(|(_, port)| port.service == container.service && port.target == PORT);
        let place = match port {
            Some((_, port)) => Place::Address(port.address()),
            None => Place::Inside(Box::new(container.clone())),
        };
        probes.push(Box::new(Redis { name: container.service.clone(), place }));
    }
    for stated in configured(snapshot, KIND, |target| target.redis.as_ref()) {
        probes.push(match stated.address {
            Ok(address) => Box::new(Redis { name: stated.name.to_owned(), place: Place::Address(address) }),
            Err(check) => Box::new(Known(check)),
        });
    }
    probes
}

impl Probe for Redis {
    fn target(&self) -> String {
        self.name.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let answer = match &self.place {
            Place::Address(address) => ping(address).map_err(|error| format!("{address}: {error}")),
            Place::Inside(container) => inside(snapshot, container),
        };
        vec![match answer {
            Ok(answer) => self.judge(&answer),
            Err(error) => Check::fail(KIND, &self.name, one_line(&snapshot.clean(&error))),
        }]
    }
}

impl Redis {
    fn judge(&self, answer: &str) -> Check {
        let answer = answer.trim().trim_start_matches(['+', '-']);
        match answer.split_whitespace().next().unwrap_or_default() {
            "PONG" => Check::ok(KIND, &self.name, "answers PING"),
            // A server that asks for a password is alive.
            "NOAUTH" => Check::ok(KIND, &self.name, "answers, and asks for a password"),
            "LOADING" => Check::fail(KIND, &self.name, "is loading its data")
                .with_hint("`cargo xtask health --wait` waits for it"),
            _ => Check::fail(KIND, &self.name, format!("answers PING with {:?}", one_line(answer))),
        }
    }
}

fn ping(address: &str) -> io::Result<String> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    stream.write_all(b"PING\r\n")?;
    let mut line = Vec::new();
    let mut reader = io::Read::take(BufReader::new(stream), 512);
    reader.read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn inside(snapshot: &Snapshot<'_>, container: &Container) -> Result<String, String> {
    for client in CLIENTS {
        let call = Invocation::new("docker").args(["exec", &container.id, client, "ping"]).deadline(PROGRAM);
        match snapshot.project.runner().read(&call) {
            Ok(output) => return Ok(output.text()),
            // The client is not in the image.
            Err(ExecError::Exited { code: 126 | 127, .. }) => {}
            Err(ExecError::Exited { tail, .. }) => return Err(tail),
            Err(error) => return Err(error.to_string()),
        }
    }
    // Where the engine runs on this machine, its networks can be reached.
    let address = container.addresses.values().find(|address| !address.is_empty());
    let address = address.ok_or("it publishes no port, has no address and its image has no client")?;
    ping(&format!("{address}:{PORT}")).map_err(|error| format!("{address}:{PORT}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_empty_project;
    use crate::probe::tcp::tests::serve;

    fn query(answer: &'static str) -> Check {
        let port = serve(move |mut stream| {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            assert_eq!(line, "PING\r\n");
            let _ = stream.write_all(answer.as_bytes());
        });
        let probe = Redis { name: "cache".into(), place: Place::Address(format!("127.0.0.1:{port}")) };
        let mut found = Vec::new();
        in_empty_project(|snapshot| found = probe.check(snapshot));
        found.remove(0)
    }

    #[test]
    fn a_pong_and_a_demand_for_a_password_are_life() {
        assert_eq!(query("+PONG\r\n").status, Verdict::Ok);
        assert_eq!(query("-NOAUTH Authentication required.\r\n").status, Verdict::Ok);
        assert_eq!(query("-LOADING Redis is loading the dataset in memory\r\n").status, Verdict::Fail);
        assert_eq!(query("HTTP/1.1 400 Bad Request\r\n").status, Verdict::Fail);
        assert_eq!(query("").status, Verdict::Fail);
    }
}
