//! Who did what, when, and how it ended.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::state::StateDir;

/// One operation that changed something, or tried to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// When it began.
    pub at: Timestamp,
    /// The user.
    pub who: String,
    /// The operation.
    pub operation: String,
    /// The environment.
    pub environment: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The name of its exit code.
    pub outcome: String,
    /// The error's message, secrets masked.
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
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome: exit.name().to_owned(),
            error,
        }
    }

    pub(crate) fn append(&self, state: &StateDir) -> Result<()> {
        let path = state.ensure()?.join(FILE);
        let mut line = serde_json::to_vec(self).map_err(|error| Error::file("write", path.clone())(error.into()))?;
        line.push(b'\n');
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            // One write of one line: lines of operations that end together do not mix.
            .and_then(|mut file| file.write_all(&line))
            .map_err(Error::file("write", path))
    }
}

/// The last entries, oldest first. A line that cannot be read is left out.
pub(crate) fn read(state: &StateDir, count: usize) -> Vec<Entry> {
    let Ok(file) = std::fs::File::open(state.path().join(FILE)) else { return Vec::new() };
    let mut entries: Vec<Entry> = BufReader::new(file)
        .split(b'\n')
        .map_while(std::result::Result::ok)
        .filter_map(|line| serde_json::from_slice(&line).ok())
        .collect();
    entries.split_off(entries.len().saturating_sub(count))
}

/// The user's name as the system knows it.
pub(crate) fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    crate::users::name(uid).unwrap_or_else(|| uid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::of(camino::Utf8Path::from_path(dir.path()).unwrap());
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
