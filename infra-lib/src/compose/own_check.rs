//! A container's own health check, run by us instead of waiting for the engine's next turn.

use std::time::Duration;

use serde::Deserialize;

use crate::exec::Runner;
use crate::exec::error::ExecError;
use crate::exec::invocation::Invocation;

/// The engine's default for both durations.
/// Source: <https://docs.docker.com/reference/dockerfile/#healthcheck>
const DEFAULT: Duration = Duration::from_secs(30);
/// How much of a check's output is kept; the engine keeps as much.
const OUTPUT: usize = 4096;

/// The health check in a container's configuration, whether it comes from the image or from the compose files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnCheck {
    /// The program and its arguments.
    command: Vec<String>,
    /// How often the engine runs it.
    pub(crate) interval: Duration,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// The result of running a check once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Passed,
    /// It exited with another code than zero, after saying this.
    Failed(String),
    /// Its program is not in the container.
    CannotRun(String),
    /// The engine refused to run it, which says nothing about the container.
    Refused,
    /// It took longer than its timeout. Its process may still run in the container.
    Hung,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawCheck {
    #[serde(default)]
    test: Option<Vec<String>>,
    /// In nanoseconds, as all its durations.
    #[serde(default)]
    interval: u64,
    #[serde(default)]
    timeout: u64,
}

impl OwnCheck {
    /// The check that the engine would run. `shell` is that of the container, not of the image: the engine ignores the
    /// image's.
    pub(super) fn new(raw: &RawCheck, shell: Option<&[String]>) -> Option<Self> {
        let (kind, rest) = raw.test.as_deref()?.split_first()?;
        if rest.is_empty() {
            return None;
        }
        let mut command = match kind.as_str() {
            "CMD" => Vec::new(),
            "CMD-SHELL" => shell
                .filter(|shell| !shell.is_empty())
                .map_or_else(|| ["/bin/sh", "-c"].map(str::to_owned).to_vec(), <[String]>::to_vec),
            _ => return None,
        };
        command.extend_from_slice(rest);
        let duration = |nanoseconds| if nanoseconds == 0 { DEFAULT } else { Duration::from_nanos(nanoseconds) };
        Some(Self { command, interval: duration(raw.interval), timeout: duration(raw.timeout) })
    }

    /// Runs it once in this container. `is_shown` says whether the command is echoed.
    ///
    /// # Errors
    ///
    /// If the client could not be run, or was cancelled.
    pub(crate) fn run(&self, runner: &Runner, container: &str, is_shown: bool) -> Result<Answer, ExecError> {
        let call = Invocation::new("docker").args(["exec", container]).args(self.command.iter().cloned());
        let call = if is_shown { call } else { call.unechoed() };
        let mut output = Vec::new();
        let ended = runner.chunks(&call.deadline(self.timeout), |chunk| {
            output.extend(chunk.iter().take(OUTPUT.saturating_sub(output.len())));
            Ok(())
        });
        match ended {
            Ok(_) => Ok(Answer::Passed),
            Err(ExecError::TimedOut { .. }) => Ok(Answer::Hung),
            Err(ExecError::Exited { code, tail, .. }) => {
                let said = if tail.trim().is_empty() { String::from_utf8_lossy(&output).into_owned() } else { tail };
                let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
                Ok(match code {
                    126 | 127 => Answer::CannotRun(last.to_owned()),
                    // The client has no other sign of it: its exit code is one that a check may have too.
                    _ if said.starts_with("Error response from daemon") => Answer::Refused,
                    _ if last.is_empty() => Answer::Failed(format!("exit code {code}")),
                    _ => Answer::Failed(runner.redactor().clean(last)),
                })
            }
            Err(ExecError::Signalled { .. }) => Ok(Answer::Refused),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(json: &str, shell: Option<&[String]>) -> Option<Vec<String>> {
        OwnCheck::new(&serde_json::from_str(json).unwrap(), shell).map(|check| check.command)
    }

    #[test]
    fn the_command_is_the_one_that_the_engine_runs() {
        let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(command(r#"{"Test":["CMD","curl","-f","x"]}"#, None), words(&["curl", "-f", "x"]));
        assert_eq!(command(r#"{"Test":["CMD-SHELL","a || b"]}"#, None), words(&["/bin/sh", "-c", "a || b"]));
        let bash = ["bash", "-ec"].map(str::to_owned);
        assert_eq!(command(r#"{"Test":["CMD-SHELL","a"]}"#, Some(&bash)), words(&["bash", "-ec", "a"]));
        for none in [r#"{"Test":["NONE"]}"#, r#"{"Test":[]}"#, r#"{"Test":null}"#, r#"{"Test":["CMD"]}"#, r"{}"] {
            assert_eq!(command(none, None), None, "{none}");
        }
    }

    #[test]
    fn durations_are_the_containers_or_the_engines() {
        let check = |json: &str| OwnCheck::new(&serde_json::from_str(json).unwrap(), None).unwrap();
        let stated = check(r#"{"Test":["CMD","a"],"Interval":1500000000,"Timeout":2000000000}"#);
        assert_eq!((stated.interval, stated.timeout), (Duration::from_millis(1500), Duration::from_secs(2)));
        assert_eq!(check(r#"{"Test":["CMD","a"]}"#).interval, DEFAULT);
    }
}
