//! Reading and writing the user's crontab with the `crontab` program.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::exec::{ExecError, Invocation, Runner};
use crate::schedule::ScheduleError;

const PROGRAM: &str = "crontab";
const PATIENCE: Duration = Duration::from_secs(10);

/// A lock held while the crontab is read, changed and written, since another project may change it too.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub(crate) struct Hold {
    _home: Option<File>,
}

/// Waits until no other process of this program changes the user's crontab. The lock is in the user's home, which is
/// all that their projects share. If the home cannot be locked, reading back after writing has to do.
pub(crate) fn hold(cancel: &CancelToken) -> Result<Hold, ScheduleError> {
    let Some(home) = std::env::var_os("HOME").and_then(|home| File::open(home).ok()) else {
        return Ok(Hold { _home: None });
    };
    let end = Instant::now() + PATIENCE;
    loop {
        match home.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                cancel.sleep(CancelToken::POLL).map_err(ExecError::from)?;
            }
            Err(TryLockError::WouldBlock) => return Err(ScheduleError::Raced),
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(Hold { _home: Some(home) }),
        }
    }
}

/// The content of the crontab; empty if there is none.
pub(crate) fn read(runner: &Runner) -> Result<Vec<u8>, ScheduleError> {
    match runner.read(&call(&["-l"])) {
        Ok(output) => Ok(output.stdout),
        // BusyBox reports that it cannot open the user's file.
        Err(ExecError::Exited { tail, .. })
            if tail.contains("no crontab for") || tail.contains("No such file or directory") =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(explained(error)),
    }
}

/// Replaces the crontab; an empty text removes it. If the new one is rejected, the old one stays.
pub(crate) fn write(runner: &Runner, text: &[u8]) -> Result<(), ScheduleError> {
    let change = if text.is_empty() { call(&["-r"]) } else { call(&["-"]).stdin(text) };
    runner.change(&change).map_err(explained)?;
    if read(runner)? == text { Ok(()) } else { Err(ScheduleError::Raced) }
}

fn call(args: &[&str]) -> Invocation {
    // Its messages are compared with English text.
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
