//! The journal: who ran which operation, when, and with what outcome.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::fs::append;
use crate::fs::error::FileError;
use crate::report::millis;
use crate::state::{StateDir, StateError};

/// One operation that changed something, or tried to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// When the operation started, in UTC.
    pub at: Timestamp,
    /// The system user that ran it.
    pub who: String,
    /// The name of the operation.
    pub operation: String,
    /// The environment it ran in.
    pub environment: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The name of the exit status.
    pub outcome: String,
    /// The error message, with secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

const FILE: &str = "journal.jsonl";

impl Entry {
    pub(crate) fn new(
        at: Timestamp,
        operation: &str,
        environment: &str,
        took: Duration,
        exit: Exit,
        error: Option<String>,
    ) -> Self {
        Self {
            at,
            who: who(),
            operation: operation.to_owned(),
            environment: environment.to_owned(),
            duration_ms: millis(took),
            outcome: exit.name().to_owned(),
            error,
        }
    }

    pub(crate) fn append(&self, state: &StateDir) -> Result<(), StateError> {
        let path = state.ensure()?.join(FILE);
        let mut line = serde_json::to_vec(self).map_err(|error| FileError::on("write", path.clone())(error.into()))?;
        line.push(b'\n');
        append(&path, &line).map_err(FileError::on("write", path))?;
        Ok(())
    }
}

/// The last `count` entries, oldest first. Unreadable lines are skipped.
pub(crate) fn read(state: &StateDir, count: usize) -> Vec<Entry> {
    let Ok(file) = std::fs::File::open(state.path().join(FILE)) else { return Vec::new() };
    let mut entries: Vec<Entry> = BufReader::new(file)
        .split(b'\n')
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_slice(&line).ok())
        .collect();
    entries.split_off(entries.len().saturating_sub(count))
}

/// The current user's name, from the system's user database.
pub(crate) fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    crate::users::name(uid).unwrap_or_else(|| uid.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(camino::Utf8Path::from_path(dir.path()).unwrap());
        let entry = |name: &str| Entry::new(Timestamp::now(), name, "development", Duration::ZERO, Exit::Ok, None);
        entry("first").append(&state).unwrap();
        let path = state.path().join(FILE);
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"\xff\n{\"cut\n").unwrap();
        entry("last").append(&state).unwrap();
        let names: Vec<_> = read(&state, 10).into_iter().map(|entry| entry.operation).collect();
        assert_eq!(names, ["first", "last"]);
        assert_eq!(read(&state, 1).len(), 1);
    }
}
