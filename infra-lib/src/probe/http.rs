//! HTTP: a timely answer.

use std::time::{Duration, Instant};

use crate::exec::{ExecError, Invocation};
use crate::report::seconds;

use super::configured::{configured, host, is_local, resolve};
use super::ports::{Speaks, health_url, published};
use super::{ANSWER, Check, Known, Probe, Snapshot, one_line};

pub(super) const KIND: &str = "http";

struct Http {
    name: String,
    url: String,
    limit: Option<Duration>,
    /// The first status that is a failure. A configured URL must answer below 400; of an inferred one nothing is
    /// known, so that a 404 or a 401 is an answer too.
    bad_from: u16,
}

/// The server's answer.
struct Answer {
    status: u16,
    location: Option<String>,
    /// The beginning of the body of a bad answer.
    body: String,
    took: Duration,
}

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    let said = configured(snapshot, KIND, |target| target.http.as_ref());
    let inferred = published(snapshot).into_iter().filter_map(|(service, port)| {
        let scheme = match port.speaks(service) {
            Speaks::Http => "http",
            Speaks::Https => "https",
            Speaks::Redis | Speaks::Unknown => return None,
        };
        if said.iter().any(|stated| stated.name == port.service) {
            return None;
        }
        let path = health_url(service).filter(|url| url.port == port.target).map_or("/".to_owned(), |url| url.path);
        let url = format!("{scheme}://{}{path}", port.address());
        Some(Http { name: port.service, url, limit: None, bad_from: 500 })
    });
    probes.extend(inferred.map(|probe| Box::new(probe) as Box<dyn Probe>));
    for stated in said {
        probes.push(match stated.address {
            Ok(url) => {
                let limit = stated.target.max_latency.map(crate::config::Period::duration);
                Box::new(Http { name: stated.name.to_owned(), url, limit, bad_from: 400 })
            }
            Err(check) => Box::new(Known(check)),
        });
    }
    probes
}

/// Whether this address, with variables of the env files, answers below 400.
pub(crate) fn check_address(snapshot: &Snapshot<'_>, name: &str, template: &str) -> Check {
    match resolve(snapshot, KIND, name, template) {
        Ok(url) => Http { name: name.to_owned(), url, limit: None, bad_from: 400 }.check(snapshot).remove(0),
        Err(check) => check,
    }
}

impl Probe for Http {
    fn target(&self) -> String {
        self.name.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let tls = self.url.starts_with("https://");
        let result = if tls { self.with_curl(snapshot) } else { self.plainly() };
        let url = snapshot.clean(&self.url);
        let answer = match result {
            Ok(answer) => answer,
            Err(Problem::Skip(why)) => {
                return vec![Check::skip(KIND, &self.name, format!("{url}: {why}")).with_hint("install curl")];
            }
            Err(Problem::Fail(why)) => {
                return vec![
                    Check::fail(KIND, &self.name, format!("{url}: {}", one_line(&snapshot.clean(&why))))
                        .with_hint(self.hint(snapshot)),
                ];
            }
        };
        let mut detail = format!("{} from {url}", answer.status);
        if let Some(location) = &answer.location {
            detail = format!("{detail}, to {}", one_line(&snapshot.clean(location)));
        }
        if tls && is_local(&host(&self.url)) {
            detail.push_str(" (certificate not verified: local)");
        }
        let check = match self.limit {
            _ if answer.status >= self.bad_from => {
                let body = one_line(&snapshot.clean(&answer.body));
                let detail = if body.is_empty() { detail } else { format!("{detail}: {body}") };
                Check::fail(KIND, &self.name, detail).with_hint(self.hint(snapshot))
            }
            Some(limit) if answer.took > limit => {
                let (took, limit) = (answer.took.as_millis(), limit.as_millis());
                Check::fail(KIND, &self.name, format!("{detail} after {took} ms, the limit is {limit} ms"))
                    .with_hint(format!("`max-latency` of [health.{}] in infra.toml is the limit", self.name))
            }
            _ => Check::ok(KIND, &self.name, detail),
        };
        vec![check.took(answer.took)]
    }
}

enum Problem {
    Skip(&'static str),
    Fail(String),
}

impl Http {
    fn hint(&self, snapshot: &Snapshot<'_>) -> String {
        if snapshot.services.contains_key(self.name.as_str()) {
            format!("`cargo xtask logs {}`", self.name)
        } else {
            format!("check [health.{}] in infra.toml", self.name)
        }
    }

    fn patience(&self) -> Duration {
        self.limit.map_or(ANSWER, |limit| ANSWER.max(limit + Duration::from_secs(1)))
    }

    fn plainly(&self) -> Result<Answer, Problem> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(self.patience()))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("infra-health");
        if is_local(&host(&self.url)) {
            config = config.proxy(None);
        }
        let began = Instant::now();
        let mut response =
            ureq::Agent::from(config.build()).get(&self.url).call().map_err(|error| Problem::Fail(self.why(&error)))?;
        let took = began.elapsed();
        let status = response.status().as_u16();
        let header = response.headers().get("location").and_then(|value| value.to_str().ok());
        let location = header.map(str::to_owned).filter(|_| (300..400).contains(&status));
        // A body may never end; its beginning is enough.
        let body = if status >= self.bad_from {
            let body = response.body_mut().with_config().limit(4096).read_to_string();
            body.unwrap_or_default()
        } else {
            String::new()
        };
        Ok(Answer { status, location, body, took })
    }

    fn why(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Timeout(_) => format!("no answer within {}", seconds(self.patience())),
            ureq::Error::HostNotFound => "the name has no address".to_owned(),
            error => error.to_string(),
        }
    }

    /// TLS is left to `curl`. The URL, which may contain a token, is passed on stdin.
    fn with_curl(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Problem> {
        let runner = snapshot.project.runner();
        if runner.find("curl").is_err() {
            return Err(Problem::Skip("asking over TLS needs curl, which is not on PATH"));
        }
        if self.url.contains(char::is_control) {
            return Err(Problem::Fail("its address holds a control character".to_owned()));
        }
        let mut config = format!("url = \"{}\"\n", self.url.replace('\\', "\\\\").replace('"', "\\\""));
        if is_local(&host(&self.url)) {
            config.push_str("insecure\nnoproxy = \"*\"\n");
        }
        let patience = self.patience();
        let call = Invocation::new("curl")
            .args(["--disable", "--config", "-", "--silent", "--show-error", "--globoff", "--max-time"])
            .arg(patience.as_secs().to_string())
            .args(["--output", "/dev/null", "--write-out", "%{http_code} %{time_total} %{redirect_url}"])
            .stdin(config)
            .deadline(patience + Duration::from_secs(2));
        let text = runner.read(&call).map_err(|error| {
            Problem::Fail(match &error {
                ExecError::Exited { tail, .. } if !tail.trim().is_empty() => tail.clone(),
                error => error.to_string(),
            })
        })?;
        let text = text.text();
        let mut fields = text.splitn(3, ' ');
        let status = fields.next().and_then(|status| status.parse().ok());
        let took = fields.next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs_f64);
        let (Some(status), Some(took)) = (status, took) else {
            return Err(Problem::Fail(format!("curl printed {text:?}")));
        };
        let location = fields.next().filter(|url| !url.is_empty()).map(str::to_owned);
        Ok(Answer { status, location, body: String::new(), took })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_empty_project;
    use crate::probe::tcp::tests::serve;

    fn query(answer: &'static str, bad_from: u16, limit: Option<Duration>, delay: Duration) -> Check {
        let port = serve(move |mut stream| {
            let mut buffer = [0; 1024];
            let _ = std::io::Read::read(&mut stream, &mut buffer);
            std::thread::sleep(delay);
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        });
        let probe = Http { name: "web".to_owned(), url: format!("http://localhost:{port}/health"), limit, bad_from };
        let mut found = Vec::new();
        in_empty_project(|snapshot| found = probe.check(snapshot));
        found.remove(0)
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const MOVED: &str = "HTTP/1.1 301 Moved\r\nLocation: https://localhost:1/\r\nContent-Length: 0\r\n\r\n";
    const MISSING: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 503 Unavailable\r\nContent-Length: 17\r\n\r\n{\"db\":\n  \"down\"}\n";

    #[test]
    fn a_stated_url_answers_below_400_and_an_inferred_one_below_500() {
        let status = |answer, bad_from| query(answer, bad_from, None, Duration::ZERO).status;
        assert_eq!(status(OK, 400), Verdict::Ok);
        assert_eq!(status(MISSING, 400), Verdict::Fail);
        assert_eq!(status(MISSING, 500), Verdict::Ok);
        let moved = query(MOVED, 400, None, Duration::ZERO);
        assert!(moved.status == Verdict::Ok && moved.detail.ends_with(", to https://localhost:1/"), "{moved:?}");
        let broken = query(BROKEN, 500, None, Duration::ZERO);
        assert!(broken.status == Verdict::Fail && broken.detail.ends_with("{\"db\": \"down\"}"), "{broken:?}");
    }

    #[test]
    fn a_slow_answer_fails_where_a_limit_is_stated() {
        let slow = Duration::from_millis(60);
        assert_eq!(query(OK, 400, Some(Duration::from_secs(5)), slow).status, Verdict::Ok);
        let check = query(OK, 400, Some(Duration::from_millis(20)), slow);
        assert!(check.status == Verdict::Fail && check.detail.contains("the limit is 20 ms"), "{check:?}");
    }

    #[test]
    fn nobody_there_is_a_failure_with_the_address() {
        let probe = Http { name: "web".into(), url: "http://127.0.0.1:1/".into(), limit: None, bad_from: 500 };
        in_empty_project(|snapshot| {
            let check = probe.check(snapshot).remove(0);
            assert!(
                check.status == Verdict::Fail && check.detail.starts_with("http://127.0.0.1:1/: Connection refused"),
                "{check:?}"
            );
        });
    }
}
