//! The user's crontab, through the program of that name.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use crate::exec::{CancelToken, ExecError, Invocation, Runner};
use crate::schedule::ScheduleError;

const PROGRAM: &str = "crontab";
const PATIENCE: Duration = Duration::from_secs(10);

/// Held while the crontab is read, changed and written: another project may be at it.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub(crate) struct Hold {
    _home: Option<File>,
}

/// Waits until nobody else of us changes this user's crontab. The one thing that all their projects share is the user's
/// home; where there is none that can be locked, what is read back after writing has to do.
pub(crate) fn hold(cancel: &CancelToken) -> Result<Hold, ScheduleError> {
    let Some(home) = std::env::var_os("HOME").and_then(|home| File::open(home).ok()) else {
        return Ok(Hold { _home: None });
    };
    let end = Instant::now() + PATIENCE;
    loop {
        match home.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < end => cancel.sleep(CancelToken::POLL)?,
            Err(TryLockError::WouldBlock) => return Err(ScheduleError::Raced),
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(Hold { _home: Some(home) }),
        }
    }
}

/// What it holds; nothing where there is none.
pub(crate) fn read(runner: &Runner) -> Result<Vec<u8>, ScheduleError> {
    match runner.read(&call(&["-l"])) {
        Ok(output) => Ok(output.stdout),
        // Busybox says that it cannot open the user's file.
        Err(ExecError::Exited { tail, .. })
            if tail.contains("no crontab for") || tail.contains("No such file or directory") =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(explained(error)),
    }
}

/// Puts this in its place; nothing at all removes it. The old one stays where the new one is not accepted.
pub(crate) fn write(runner: &Runner, text: &[u8]) -> Result<(), ScheduleError> {
    let change = if text.is_empty() { call(&["-r"]) } else { call(&["-"]).stdin(text) };
    runner.change(&change).map_err(explained)?;
    if read(runner)? == text { Ok(()) } else { Err(ScheduleError::Raced) }
}

fn call(args: &[&str]) -> Invocation {
    // What it says is compared.
    Invocation::new(PROGRAM).args(args.iter().copied()).env("LC_ALL", "C").deadline(Runner::READ_DEADLINE)
}

fn explained(error: ExecError) -> ScheduleError {
    match error {
        ExecError::NotFound { .. } => ScheduleError::NoCrontab,
        ExecError::Exited { ref tail, .. } if tail.contains("not allowed") => {
            ScheduleError::NotAllowed { said: tail.lines().next().unwrap_or_default().to_owned() }
        }
        error => ScheduleError::Crontab(error),
    }
}
