//! How a child can fail, by phase.

use std::io;
use std::time::Duration;

/// Why running a program did not give a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// No such program on the caller's `PATH`.
    #[error("`{program}` was not found on PATH ({path})")]
    NotFound {
        /// The program's name.
        program: String,
        /// The `PATH` that was searched.
        path: String,
    },
    /// The program is there but the system would not start it.
    #[error("`{program}` could not be started")]
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ran and returned a code other than zero.
    #[error("`{command}` failed with exit code {code}{}", tail_suffix(.tail))]
    Exited {
        /// The command, secrets masked.
        command: String,
        /// Its exit code.
        code: i32,
        /// The last lines of its stderr.
        tail: String,
    },
    /// It was ended by a signal.
    #[error("`{command}` was killed by signal {signal}{}", tail_suffix(.tail))]
    Signalled {
        /// The command, secrets masked.
        command: String,
        /// The signal's number.
        signal: i32,
        /// The last lines of its stderr.
        tail: String,
    },
    /// It did not end within its deadline and was stopped.
    #[error("`{command}` did not finish within {}{}", seconds(.after), tail_suffix(.tail))]
    TimedOut {
        /// The command, secrets masked.
        command: String,
        /// The deadline.
        after: Duration,
        /// The last lines of its stderr.
        tail: String,
    },
    /// It printed nothing for too long and was stopped.
    #[error("`{command}` made no progress for {}", seconds(.after))]
    Stalled {
        /// The command, secrets masked.
        command: String,
        /// The time without a byte.
        after: Duration,
    },
    /// The caller cancelled.
    #[error("interrupted by signal {signal}")]
    Cancelled {
        /// The signal's number.
        signal: i32,
    },
    /// It returned zero, but what it printed is not what it should be.
    #[error("`{command}` printed something unexpected: {reason}")]
    BadOutput {
        /// The command, secrets masked.
        command: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pipe to or from it broke.
    #[error("could not talk to `{command}`")]
    Pipe {
        /// The command, secrets masked.
        command: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ExecError {
    /// What the child said last, where it said something.
    pub fn tail(&self) -> &str {
        match self {
            Self::Exited { tail, .. } | Self::Signalled { tail, .. } | Self::TimedOut { tail, .. } => tail,
            _ => "",
        }
    }

    /// The way out, where there is a general one.
    pub fn hint(&self) -> Option<String> {
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
