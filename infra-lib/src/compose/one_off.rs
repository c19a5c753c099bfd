//! A one-off container for one job. It belongs to no compose project.

use std::time::Duration;

use crate::exec::{ExecError, Invocation, Output, Runner};
use crate::hex::{self, RandomError};

/// The label with the session, used to find containers of a killed run.
const LABEL: &str = "infra.session";
/// Keeps a container apart from the stack: an image that Compose built passes the labels of its service and its health
/// check on to every container.
pub(crate) const APART: [&str; 3] = ["--no-healthcheck", "--label", "com.docker.compose.project="];
/// The time limit for removing one.
const TIDY: Duration = Duration::from_secs(15);

/// The name of a job's container.
#[derive(Debug)]
pub(crate) struct OneOff(String);

impl OneOff {
    /// A `docker run` call without an image yet: it pulls, logs and keeps nothing, and has a read-only file system
    /// and no privileges. `session` is shared by runs that cannot be active at the same time.
    pub(crate) fn new(session: &str) -> Result<(Invocation, Self), RandomError> {
        let name = format!("infra-{}", hex::random_digits(16)?);
        let label = format!("{LABEL}={session}");
        let call = Invocation::new("docker")
            .args(["run", "-i", "--rm", "--pull", "never", "--log-driver", "none", "--name", &name, "--label", &label])
            .args(["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"])
            .args(APART);
        Ok((call, Self(name)))
    }

    /// Removes the container and its volumes: it keeps running when its client is killed. `runner` must be one that
    /// cannot be cancelled.
    pub(crate) fn remove(&self, runner: &Runner) -> Result<Output, ExecError> {
        remove(runner, [self.0.as_str()])
    }

    /// Removes the containers of a session. The caller must hold the lock that keeps its runs apart.
    pub(crate) fn sweep(runner: &Runner, session: &str) {
        let filter = format!("label={LABEL}={session}");
        let call = Invocation::new("docker").args(["ps", "-aq", "--no-trunc", "--filter", &filter]).deadline(TIDY);
        let ids = runner.read(&call).map(|output| output.text()).unwrap_or_default();
        if !ids.is_empty() {
            let _ = remove(runner, ids.lines());
        }
    }
}

fn remove<'i>(runner: &Runner, ids: impl IntoIterator<Item = &'i str>) -> Result<Output, ExecError> {
    runner.read(&Invocation::new("docker").args(["rm", "-f", "-v"]).args(ids).deadline(TIDY))
}

/// The `--mount` value for a path in the container.
pub(crate) fn mount(kind: &str, source: &str, target: &str) -> String {
    format!("type={kind},{},dst={target}", csv(&format!("src={source}")))
}

/// Quotes a field of Docker's comma-separated options.
fn csv(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b11_a_path_with_commas_and_quotes_stays_one_field() {
        assert_eq!(csv("src=/a b"), "src=/a b");
        assert_eq!(csv("src=/a,b\"c"), "\"src=/a,b\"\"c\"");
    }
}
