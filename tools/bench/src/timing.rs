//! Running one command and taking its time.

use std::time::{Duration, Instant};

use xshell::Cmd;

use super::Outcome;

/// What a command that did its work took, and printed.
pub(crate) struct Ran {
    pub(crate) took: Duration,
    pub(crate) stderr: String,
}

/// Runs a command to its end, without a terminal. One that fails is an error: its time would mean nothing.
pub(crate) fn run(command: Cmd<'_>) -> Outcome<Ran> {
    let name = command.to_string();
    let command = command.quiet().ignore_status();
    let began = Instant::now();
    let output = command.output()?;
    let took = began.elapsed();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let stdout = String::from_utf8_lossy(&output.stdout);
        return Err(format!("{}: `{name}`\n{}{}", output.status, stdout, stderr.trim_end()).into());
    }
    Ok(Ran { took, stderr })
}

/// What a command took.
pub(crate) fn time(command: Cmd<'_>) -> Outcome<Duration> {
    Ok(run(command)?.took)
}

/// Whether a command succeeds.
pub(crate) fn succeeds(command: Cmd<'_>) -> bool {
    run(command).is_ok()
}
