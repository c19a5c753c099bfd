//! Why a child process failed, by phase.

use crate::cancel::Cancelled;
use crate::exit::Exit;
use crate::failure::{ErrorKind, Failure};
use std::io;
use std::time::Duration;

/// Why running a program gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ExecError {
    /// The program was not found on the caller's `PATH`.
    #[error("`{program}` was not found on PATH{}", shown(.path))]
    NotFound {
        /// The name of the program.
        program: String,
        /// The `PATH` that was searched.
        path: String,
    },
    /// The program exists, but the system could not start it.
    #[error("`{program}` could not be started")]
    Start {
        /// The name of the program.
        program: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The program exited with a code other than zero.
    #[error("`{command}` failed with exit code {code}{}", tail_suffix(.tail))]
    Exited {
        /// The command, secrets masked.
        command: String,
        /// The exit code of the program.
        code: i32,
        /// The last lines of its stderr.
        tail: String,
    },
    /// The program was ended by a signal.
    #[error("`{command}` was killed by signal {signal}{}", tail_suffix(.tail))]
    Signalled {
        /// The command, secrets masked.
        command: String,
        /// The number of the signal.
        signal: i32,
        /// The last lines of its stderr.
        tail: String,
    },
    /// The program exceeded its deadline and was stopped.
    #[error("`{command}` did not finish within {}{}", seconds(.after), tail_suffix(.tail))]
    TimedOut {
        /// The command, secrets masked.
        command: String,
        /// The deadline that it exceeded.
        after: Duration,
        /// The last lines of its stderr.
        tail: String,
    },
    /// The program printed nothing for too long and was stopped.
    #[error("`{command}` made no progress for {}", seconds(.after))]
    Stalled {
        /// The command, secrets masked.
        command: String,
        /// The time without any output.
        after: Duration,
    },
    /// The caller or a signal cancelled it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The program exited with zero, but its output is invalid.
    #[error("`{command}` printed something unexpected: {reason}")]
    BadOutput {
        /// The command, secrets masked.
        command: String,
        /// What is wrong with the output.
        reason: String,
    },
    /// A pipe to or from the program broke.
    #[error("could not communicate with `{command}`")]
    Pipe {
        /// The command, secrets masked.
        command: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The longest `PATH` that is shown. Under cron it is short, and often the cause; elsewhere it would hide the message.
const SHOWN: usize = 60;

/// A short `PATH` in brackets, or nothing.
pub(crate) fn shown(path: &str) -> String {
    if path.len() <= SHOWN { format!(" ({path})") } else { String::new() }
}

impl ExecError {
    /// The last lines that the program printed, if any.
    pub(crate) fn tail(&self) -> &str {
        match self {
            Self::Exited { tail, .. } | Self::Signalled { tail, .. } | Self::TimedOut { tail, .. } => tail,
            _ => "",
        }
    }
}

impl Failure for ExecError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotFound { .. } | Self::Start { .. } => Exit::Unavailable,
            Self::Exited { .. } | Self::Signalled { .. } | Self::BadOutput { .. } => Exit::Failed,
            Self::TimedOut { .. } | Self::Stalled { .. } => Exit::TempFail,
            Self::Cancelled(error) => error.exit(),
            Self::Pipe { .. } => Exit::Io,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::ProgramNotFound,
            _ => self.exit().into(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { program, .. } => Some(format!(
                "install `{program}`, or put its folder on PATH; `cargo xtask doctor` says which package has it"
            )),
            _ => None,
        }
    }
}

fn tail_suffix(tail: &str) -> String {
    match tail.trim() {
        "" => String::new(),
        tail => format!(": {tail}"),
    }
}

fn seconds(time: &Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}
