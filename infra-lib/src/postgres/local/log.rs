//! Reading and rotating a server's log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use camino::Utf8Path;

pub(super) const FILE: &str = "server.log";

/// The size in bytes above which the log is rotated at the next start. One old log is kept.
const LARGE: u64 = 16 << 20;
/// How many bytes to read from the end of a log.
const READ: u64 = 256 << 10;

/// A position in a log.
pub(super) struct Mark(u64);

impl Mark {
    pub(super) fn end_of(path: &Utf8Path) -> Self {
        Self(path.metadata().map_or(0, |stat| stat.len()))
    }

    /// The text written after this position.
    pub(super) fn since(&self, path: &Utf8Path) -> String {
        read_from(path, self.0, READ)
    }
}

pub(super) fn rotate(path: &Utf8Path) {
    if path.metadata().is_ok_and(|stat| stat.len() > LARGE) {
        // If the log cannot be rotated, keep appending to it.
        let _ = std::fs::rename(path, format!("{path}.1"));
    }
}

/// The last lines, or all of them.
pub(super) fn tail(path: &Utf8Path, count: Option<usize>) -> Vec<String> {
    let size = path.metadata().map_or(0, |stat| stat.len());
    let text = read_from(path, if count.is_some() { size.saturating_sub(READ) } else { 0 }, u64::MAX);
    let lines: Vec<&str> = text.lines().collect();
    let first = count.map_or(0, |count| lines.len().saturating_sub(count));
    lines[first..].iter().map(|&line| line.to_owned()).collect()
}

/// Prefixes of lines that state the cause. An invalid setting is only logged as a note before the end.
const TELLING: [&str; 8] =
    ["FATAL:", "PANIC:", "DETAIL:", "HINT:", "error:", "unrecognized configuration", "invalid value", "syntax error"];

/// The reason of a failure in a log: fatal messages with their hints, else the last lines.
pub(super) fn reason(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let telling = |line: &&&str| TELLING.iter().any(|tag| line.contains(tag));
    let found: Vec<&str> = lines.iter().filter(telling).map(|line| without_prefix(line)).collect();
    if found.is_empty() { lines[lines.len().saturating_sub(5)..].join("\n") } else { found.join("\n") }
}

/// The line without time and process id.
fn without_prefix(line: &str) -> &str {
    line.find("] ").filter(|at| line[..*at].contains('[')).map_or(line, |at| &line[at + 2..])
}

fn read_from(path: &Utf8Path, offset: u64, limit: u64) -> String {
    let read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        std::io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_is_fatal_without_time_and_process() {
        let said = "2026-01-01 10:00:00.000 UTC [12] LOG:  starting PostgreSQL\n\
                    2026-01-01 10:00:00.001 UTC [12] FATAL:  could not create lock file\n\
                    2026-01-01 10:00:00.001 UTC [12] HINT:  do this\n";
        assert_eq!(reason(said), "FATAL:  could not create lock file\nHINT:  do this");
        assert_eq!(reason("one\n\ntwo\n"), "one\ntwo");
        assert_eq!(reason(""), "");
    }

    #[test]
    fn a_log_is_read_from_a_mark_and_from_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join(FILE);
        assert!(tail(&path, None).is_empty());
        std::fs::write(&path, "a\nb\n").unwrap();
        let mark = Mark::end_of(&path);
        std::fs::write(&path, "a\nb\nc\nd\n").unwrap();
        assert_eq!(mark.since(&path), "c\nd\n");
        assert_eq!(tail(&path, Some(3)), ["b", "c", "d"]);
        assert_eq!(tail(&path, None).len(), 4);
    }
}
