//! Containers' logs.

use std::time::Duration;

use crate::exec::{ExecError, Invocation, Runner};

/// How long the client may take for a log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lines of a container's log in the order in which they were written, without secrets. `options` are those of
/// `docker logs`, such as `--tail`.
///
/// # Errors
///
/// The container was removed, or the engine does not answer.
pub(crate) fn log_lines(runner: &Runner, container: &str, options: &[&str]) -> Result<Vec<String>, ExecError> {
    let call = Invocation::new("docker").args(["logs", "--timestamps"]).args(options.iter().copied()).arg(container);
    let mut lines = Vec::new();
    runner.lines(&call.deadline(PATIENCE), |_, line| {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        lines.push((time.to_owned(), text.to_owned()));
        Ok(())
    })?;
    // The two streams arrive separately. All times have the same width.
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(lines.into_iter().map(|(_, text)| text).collect())
}
