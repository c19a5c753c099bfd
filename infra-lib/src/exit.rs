//! Exit codes, which are part of the public interface.

use std::fmt;

use serde::{Serialize, Serializer};

/// The result of an operation as an exit code. The numbers only change with a major version.
///
/// They follow `sysexits.h` where it has a suitable code. Callers must treat an unknown code as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// 0: done, or nothing to do.
    Ok,
    /// 1: failed; nothing was changed.
    Failed,
    /// 2: a check found a problem: unhealthy, pending, drifted, stale or suspect.
    CheckFailed,
    /// 3: failed after changing something; the commands to finish or undo are printed.
    Partial,
    /// 64: invalid usage, or confirmation is needed without a terminal.
    Usage,
    /// 65: corrupt or incompatible data.
    BadData,
    /// 66: the named object does not exist.
    NotFound,
    /// 69: the engine or the database is unreachable, or the connection was lost.
    Unavailable,
    /// 73: the disk is full or not writable.
    CannotCreate,
    /// 74: input or output error.
    Io,
    /// 75: another operation holds the lock, or a wait timed out.
    TempFail,
    /// 77: a safety check or the authentication refused.
    Refused,
    /// 78: `infra.toml`, `.env` or a compose file is invalid.
    Config,
    /// 128 + the signal's number: interrupted by a signal.
    Signal(u8),
    /// The exit code of a child process that is passed on, such as a shell or a task.
    Child(u8),
}

impl Exit {
    /// The number that the process exits with.
    ///
    /// ```
    /// use infra_lib::Exit;
    /// assert_eq!(Exit::TempFail.code(), 75);
    /// assert_eq!(Exit::Signal(15).code(), 143);
    /// ```
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::CheckFailed => 2,
            Self::Partial => 3,
            Self::Usage => 64,
            Self::BadData => 65,
            Self::NotFound => 66,
            Self::Unavailable => 69,
            Self::CannotCreate => 73,
            Self::Io => 74,
            Self::TempFail => 75,
            Self::Refused => 77,
            Self::Config => 78,
            Self::Signal(signal) => 128u8.saturating_add(signal),
            Self::Child(code) => code,
        }
    }

    /// The name used in JSON errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::CheckFailed => "check-failed",
            Self::Partial => "partial",
            Self::Usage => "usage",
            Self::BadData => "bad-data",
            Self::NotFound => "not-found",
            Self::Unavailable => "unavailable",
            Self::CannotCreate => "cannot-create",
            Self::Io => "io",
            Self::TempFail => "temp-fail",
            Self::Refused => "refused",
            Self::Config => "config",
            Self::Signal(_) => "signal",
            Self::Child(_) => "child",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every variant with its row in the document. A new variant does not compile until it is listed here.
    fn all() -> Vec<Exit> {
        use Exit::*;
        let rows = [
            Ok,
            Failed,
            CheckFailed,
            Partial,
            Usage,
            BadData,
            NotFound,
            Unavailable,
            CannotCreate,
            Io,
            TempFail,
            Refused,
            Config,
            Signal(2),
            Child(7),
        ];
        for exit in rows {
            match exit {
                Ok | Failed | CheckFailed | Partial | Usage | BadData | NotFound | Unavailable | CannotCreate | Io
                | TempFail | Refused | Config | Signal(_) | Child(_) => {}
            }
        }
        rows.into()
    }

    #[test]
    fn docs_cli_md_has_every_code_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        let text = std::fs::read_to_string(path).unwrap();
        let section = text.split("\n## Exit codes\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
        let told: Vec<(String, String)> = rows
            .flat_map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                cells[1].split(", ").map(|code| (code.to_owned(), cells[2].to_owned())).collect::<Vec<_>>()
            })
            .collect();
        let row = |exit: Exit| (exit.code().to_string(), exit.name().to_owned());
        let known = all().into_iter().filter(|exit| !matches!(exit, Exit::Signal(_) | Exit::Child(_)));
        let known = known.chain([1, 2, 15].map(Exit::Signal)).map(row);
        assert_eq!(told, known.collect::<Vec<_>>());
    }
}
