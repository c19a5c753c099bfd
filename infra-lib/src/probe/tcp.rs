//! TCP: whether an address accepts connections.

use std::io::{self, Read as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::configured::configured;
use super::ports::{Speaks, published};
use super::{ANSWER, Check, Known, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "tcp";

struct Tcp {
    name: String,
    address: String,
    limit: Option<Duration>,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    for (service, port) in published(snapshot) {
        if port.speaks(service) == Speaks::Unknown {
            probes.push(Box::new(Tcp { address: port.address(), name: port.service, limit: None }));
        }
    }
    for stated in configured(snapshot, KIND, |target| target.tcp.as_ref()) {
        probes.push(match stated.address {
            Ok(address) => {
                let limit = stated.target.max_latency.map(crate::config::Period::duration);
                Box::new(Tcp { name: stated.name.to_owned(), address, limit })
            }
            Err(check) => Box::new(Known(check)),
        });
    }
    probes
}

impl Probe for Tcp {
    fn target(&self) -> String {
        self.name.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let Self { name, address, limit } = self;
        let began = Instant::now();
        let connected = connect(address);
        let took = began.elapsed();
        let check = match connected.and_then(|stream| stays_open(&stream)) {
            Err(error) => Check::fail(KIND, name, format!("{address}: {}", one_line(&error.to_string())))
                .with_hint(self.hint(snapshot)),
            Ok(false) => {
                Check::fail(KIND, name, format!("{address} accepts and closes immediately: nothing listens behind it"))
                    .with_hint(self.hint(snapshot))
            }
            Ok(true) => match limit {
                Some(limit) if took > *limit => {
                    let (took, limit) = (took.as_millis(), limit.as_millis());
                    Check::fail(KIND, name, format!("{address} after {took} ms, the limit is {limit} ms"))
                }
                _ => Check::ok(KIND, name, format!("{address} accepts connections")),
            },
        };
        vec![check.took(took)]
    }
}

impl Tcp {
    fn hint(&self, snapshot: &Snapshot<'_>) -> String {
        if snapshot.services.contains_key(self.name.as_str()) {
            format!("`cargo xtask logs {}`", self.name)
        } else {
            format!("check [health.{}] in infra.toml", self.name)
        }
    }
}

/// Connects to the first address that accepts.
pub(super) fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, ANSWER) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Docker's proxy accepts on behalf of a container and closes again if nothing listens there.
fn stays_open(stream: &TcpStream) -> io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut stream = stream;
    match stream.read(&mut [0]) {
        Ok(count) => Ok(count > 0),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_project;

    /// Serves each connection in a thread of its own, and says on which port of the loopback address.
    pub(in crate::probe) fn serve(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                std::thread::spawn(move || answer(stream));
            }
        });
        port
    }

    fn check(address: &str) -> Check {
        let mut found = Vec::new();
        // An outside address, since those on this machine belong to services and none run here.
        let probe = Tcp { name: "x".into(), address: address.into(), limit: None };
        in_project("", |snapshot| found = probe.check(snapshot));
        found.remove(0)
    }

    #[test]
    fn a_listener_that_stays_is_ok() {
        let port = serve(|stream| {
            std::thread::sleep(Duration::from_secs(2));
            drop(stream);
        });
        assert_eq!(check(&format!("localhost:{port}")).status, Verdict::Ok);
    }

    #[test]
    fn nobody_behind_the_proxy_is_a_failure() {
        let closed = check(&format!("127.0.0.1:{}", serve(drop)));
        assert!(closed.status == Verdict::Fail && closed.detail.contains("closes immediately"), "{closed:?}");
        assert_eq!(check("127.0.0.1:1").status, Verdict::Fail);
        assert_eq!(check("no-such-host.invalid:1").status, Verdict::Fail);
        assert_eq!(check("nonsense").status, Verdict::Fail);
    }
}
