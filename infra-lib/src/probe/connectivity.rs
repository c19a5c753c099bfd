//! What a service depends on, seen from inside its container.

use std::time::Duration;

use crate::compose::{Condition, Container, Status};
use crate::exec::{ExecError, Invocation};

use super::ports::inner_port;
use super::{Check, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "reach";

struct Reach {
    from: Box<Container>,
    to: String,
    port: Option<u16>,
    running: bool,
}

/// Uses a program that the image has. Host and port are passed in the environment, never inserted into the script.
///
/// It exits with 0, or 41: no connection, 42: no suitable program, 43: unknown name.
const SCRIPT: &str = r#"
h=$INFRA_HOST; p=$INFRA_PORT
has() { command -v "$1" >/dev/null 2>&1; }
limit=; has timeout && limit='timeout 4'
if has getent; then getent hosts "$h" >/dev/null 2>&1 || exit 43; [ -n "$p" ] || exit 0; fi
[ -n "$p" ] || exit 42
if has bash; then $limit bash -c 'exec 3<>"/dev/tcp/$INFRA_HOST/$INFRA_PORT"' 2>/dev/null && exit 0 || exit 41; fi
for py in python3 python; do if has $py; then
  $py -c 'import os,socket
socket.create_connection((os.environ["INFRA_HOST"],int(os.environ["INFRA_PORT"])),3)' 2>/dev/null && exit 0 || exit 41
fi; done
for js in node bun; do if has $js; then
  $js -e 'const s=require("net").connect(+process.env.INFRA_PORT,process.env.INFRA_HOST);s.setTimeout(3000);
s.on("connect",()=>process.exit(0));s.on("error",()=>process.exit(1));s.on("timeout",()=>process.exit(1))' 2>/dev/null && exit 0 || exit 41
fi; done
if has php; then php -r 'exit(@fsockopen(getenv("INFRA_HOST"),(int)getenv("INFRA_PORT"),$a,$b,3)?0:1);' && exit 0 || exit 41; fi
if has perl; then perl -MIO::Socket::INET -e 'exit(IO::Socket::INET->new(PeerAddr=>$ENV{INFRA_HOST},PeerPort=>$ENV{INFRA_PORT},Timeout=>3)?0:1)' && exit 0 || exit 41; fi
if has nc; then case $(nc -h 2>&1) in *-z*) nc -z -w 3 "$h" "$p" >/dev/null 2>&1 && exit 0 || exit 41;; esac; fi
if has nc && [ -n "$limit" ]; then
  $limit nc -w 2 "$h" "$p" </dev/null >/dev/null 2>&1
  case $? in 0|124|137|143) exit 0;; *) exit 41;; esac
fi
if has curl; then
  curl -s -o /dev/null --noproxy '*' --max-time 3 "http://$h:$p/"
  case $? in 6) exit 43;; 7|28) exit 41;; *) exit 0;; esac
fi
exit 42
"#;

/// Longer than the script's own limits, so that no process is left in the container.
const PATIENCE: Duration = Duration::from_secs(9);

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    let mut seen = Vec::new();
    for (service, container) in snapshot.running() {
        // One container of a service represents the others. One without its own network resolves no names.
        let alone = service.rest.get("network_mode").is_some_and(|mode| !mode.is_null());
        if alone || seen.contains(&container.service) {
            continue;
        }
        seen.push(container.service.clone());
        for (name, dependency) in &service.depends_on {
            if dependency.condition == Condition::Completed {
                continue;
            }
            let Some(target) = snapshot.services.get(name.as_str()) else { continue };
            probes.push(Box::new(Reach {
                from: Box::new(container.clone()),
                to: name.clone(),
                port: inner_port(target),
                running: snapshot.containers_of(name).any(|container| container.status == Status::Running),
            }));
        }
    }
    probes
}

impl Probe for Reach {
    fn target(&self) -> String {
        format!("{} -> {}", self.from.service, self.to)
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let target = self.target();
        if !self.running {
            return vec![Check::skip(KIND, target, format!("{} is not running", self.to))];
        }
        let call = Invocation::new("docker")
            .args(["exec", "-e", "INFRA_HOST", "-e", "INFRA_PORT", &self.from.id, "sh", "-c", SCRIPT])
            .env("INFRA_HOST", &self.to)
            .env("INFRA_PORT", self.port.map(|port| port.to_string()).unwrap_or_default())
            .deadline(PATIENCE);
        let found = match snapshot.project.runner().read(&call) {
            Ok(_) => 0,
            Err(ExecError::Exited { code: code @ (41..=43 | 126 | 127), .. }) => code,
            Err(error) => return vec![Check::skip(KIND, target, one_line(&error.to_string()))],
        };
        vec![self.judge(found)]
    }
}

impl Reach {
    fn judge(&self, code: i32) -> Check {
        let (target, to) = (self.target(), &self.to);
        let shared = "`cargo xtask describe` shows their networks: they need one in common";
        match (code, self.port) {
            (0, Some(port)) => Check::ok(KIND, target, format!("{to}:{port} accepts connections")),
            (0, None) => Check::ok(KIND, target, format!("knows the name {to}; no port of it is known")),
            (41, Some(port)) => Check::fail(KIND, target, format!("{to}:{port} does not accept connections"))
                .with_hint(format!("`cargo xtask logs {to}`; does it listen on every address of its container?")),
            (43, _) => Check::fail(KIND, target, format!("does not know the name {to}")).with_hint(shared),
            (126 | 127, _) => Check::skip(KIND, target, "its image has no shell to try it with"),
            _ => Check::skip(KIND, target, "its image has nothing to try it with"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{container, in_stack};

    #[test]
    fn dependencies_are_asked_for_once_per_service() {
        let model = r#"{"name":"x","services":{
            "web":{"depends_on":{"db":{},"job":{"condition":"service_completed_successfully"},"gone":{}}},
            "db":{"image":"postgres:16"},"job":{},"gone":{},
            "host":{"network_mode":"host","depends_on":{"db":{}}}}}"#;
        let containers = vec![container("web"), container("web"), container("db"), container("host")];
        in_stack("", model, containers, |snapshot| {
            let probes = plan(snapshot);
            let targets: Vec<_> = probes.iter().map(|probe| probe.target()).collect();
            assert_eq!(targets, ["web -> db", "web -> gone"]);
            assert_eq!(probes[1].check(snapshot)[0].status, Verdict::Skip);
        });
    }

    #[test]
    fn the_scripts_codes_are_understood() {
        let status = |code, port| {
            Reach { from: Box::new(container("web")), to: "db".into(), port, running: true }.judge(code).status
        };
        assert_eq!([status(0, Some(1)), status(0, None)], [Verdict::Ok; 2]);
        assert_eq!([status(41, Some(1)), status(43, None)], [Verdict::Fail; 2]);
        assert_eq!([status(42, Some(1)), status(127, Some(1)), status(126, None)], [Verdict::Skip; 3]);
    }
}
