//! A container of our own for one job, which belongs to no compose project.

use std::time::Duration;

use crate::error::Result;
use crate::exec::{ExecError, Invocation, Output, Runner};
use crate::nonce;

/// The label that says whose it is: what a run that was killed has left is found by it.
const LABEL: &str = "infra.session";
/// How long removing one may take.
const TIDY: Duration = Duration::from_secs(15);

/// The container of a job, by its name.
#[derive(Debug)]
pub(crate) struct OneOff(String);

impl OneOff {
    /// A call of `docker run` without an image yet: nothing is pulled, logged or kept of it, its files are read-only, and it
    /// has no rights. `session` is the same for every run that cannot be at work while this one is.
    pub(crate) fn new(session: &str) -> Result<(Invocation, Self)> {
        let name = format!("infra-{}", nonce::hex_digits(16)?);
        let label = format!("{LABEL}={session}");
        let call = Invocation::new("docker")
            .args(["run", "-i", "--rm", "--pull", "never", "--log-driver", "none", "--name", &name, "--label", &label])
            .args(["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"]);
        Ok((call, Self(name)))
    }

    /// Removes it, with what it has made: a killed client leaves it running. `runner` is one for the aftermath.
    pub(crate) fn remove(&self, runner: &Runner) -> Result<Output, ExecError> {
        remove(runner, [self.0.as_str()])
    }

    /// Removes those of a session. Only whoever holds the lock that keeps its runs apart may do so.
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

/// A mount of this kind at a place in the container.
pub(crate) fn mount(kind: &str, source: &str, target: &str) -> String {
    format!("type={kind},{},dst={target}", csv(&format!("src={source}")))
}

/// A field of Docker's comma-separated options.
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
