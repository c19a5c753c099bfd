//! The journal of one deploy: the intent before each effect, the verified result after it.

use std::fs::File;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fs::append;
use crate::fs::error::FileError;
use crate::state::StateError;

/// A step of a deploy, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// The stack's lock is taken, and the deploy has its number.
    Lock,
    /// The images of the release are on the engine and tagged, so that no prune removes them.
    Images,
    /// A backup, if one is due.
    Backup,
    /// One-shots, and changed services that a routed one depends on.
    Dependencies,
    /// Pending migrations.
    Migrate,
    /// The new containers of routed services.
    Create,
    /// They are ready.
    Ready,
    /// The proxies send requests to them.
    Switch,
    /// All other changed services.
    Replace,
    /// The old containers of routed services stop. From here on, a deploy is finished, not undone.
    Stop,
    /// The new containers stay ready.
    Watch,
    /// The release is live.
    Live,
    /// What the deploy replaced is removed.
    Cleanup,
    /// What an unfinished deploy had done is undone.
    Undo,
}

/// What a line says about its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mark {
    /// It is about to be done.
    Intent,
    /// It is done, and verified.
    Done,
    /// It failed.
    Failed,
}

/// How a deploy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Its release is live.
    Live,
    /// What ran before runs again.
    Reverted,
    /// Neither release is healthy.
    Partial,
    /// `clean` removed the stack.
    Cleaned,
}

/// What the first line adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Beginning {
    /// The release that is deployed.
    pub(crate) release: String,
    /// The deploy whose release was live.
    pub(crate) previous: Option<u64>,
    /// Whether it goes back to an earlier release.
    pub(crate) rollback: bool,
    /// The system user.
    pub(crate) by: String,
    /// How many containers each service had.
    pub(crate) replicas: std::collections::BTreeMap<String, u32>,
}

/// What the last line adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    /// Why it did not become live, with secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    pub(crate) duration_ms: u64,
}

/// A line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    schema: u32,
    deploy: u64,
    at: Timestamp,
    step: Step,
    mark: Mark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begin: Option<Beginning>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

/// The journal of one deploy.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) number: u64,
    pub(crate) path: Utf8PathBuf,
    lines: Vec<Line>,
}

impl Journal {
    /// Begins the journal of a new deploy.
    pub(super) fn begin(path: &Utf8Path, number: u64, begin: Beginning) -> Result<Self, StateError> {
        let mut journal = Self { number, path: path.to_owned(), lines: Vec::new() };
        journal.append(Step::Lock, Mark::Done, None, Some(begin), None)?;
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|it| it.sync_all()).map_err(FileError::on("sync", folder.to_owned()))?;
        }
        Ok(journal)
    }

    /// Reads a journal. A torn line, which a power loss leaves at the end, is ignored.
    pub(super) fn read(path: &Utf8Path, number: u64) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Some(Self { number, path: path.to_owned(), lines })
    }

    /// Writes a line and waits until it is on the disk.
    pub(crate) fn mark(&mut self, step: Step, mark: Mark, detail: Option<String>) -> Result<(), StateError> {
        self.append(step, mark, detail, None, None)
    }

    /// Writes the last line.
    pub(crate) fn end(&mut self, end: End) -> Result<(), StateError> {
        let mark = if end.outcome == Outcome::Live { Mark::Done } else { Mark::Failed };
        self.append(Step::Live, mark, None, None, Some(end))
    }

    fn append(
        &mut self,
        step: Step,
        mark: Mark,
        detail: Option<String>,
        begin: Option<Beginning>,
        end: Option<End>,
    ) -> Result<(), StateError> {
        let line = Line { schema: 1, deploy: self.number, at: Timestamp::now(), step, mark, detail, begin, end };
        let at = |action| FileError::on(action, self.path.clone());
        // A line that a power loss has torn stays alone.
        let separator = if self.lines.is_empty() { "" } else { "\n" };
        let text = serde_json::to_string(&line).map_err(|error| at("write")(error.into()))?;
        append(&self.path, format!("{separator}{text}").as_bytes())
            .and_then(|file| file.sync_all())
            .map_err(at("write"))?;
        self.lines.push(line);
        Ok(())
    }

    /// What the first line says.
    pub(crate) fn beginning(&self) -> Option<&Beginning> {
        self.lines.first()?.begin.as_ref()
    }

    /// How the deploy ended; `None` if it was interrupted, or still runs.
    pub(crate) fn ending(&self) -> Option<&End> {
        self.lines.iter().rev().find_map(|line| line.end.as_ref())
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.ending().map(|end| end.outcome)
    }

    /// The last step that it reached.
    pub(crate) fn last_step(&self) -> Option<Step> {
        self.lines.last().map(|line| line.step)
    }

    /// Whether this step was begun.
    pub(crate) fn has_reached(&self, step: Step) -> bool {
        self.lines.iter().any(|line| line.step == step)
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn h03_a_torn_line_is_ignored_and_the_next_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("1.jsonl");
        let replicas = std::collections::BTreeMap::new();
        let begin = Beginning { release: "r".into(), previous: None, rollback: false, by: "me".into(), replicas };
        let mut journal = Journal::begin(&path, 1, begin).unwrap();
        journal.mark(Step::Stop, Mark::Intent, None).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\n{\"schema\":1,\"dep").unwrap();
        let mut torn = Journal::read(&path, 1).unwrap();
        assert!(torn.has_reached(Step::Stop) && torn.outcome().is_none());
        torn.end(End { outcome: Outcome::Live, cause: None, duration_ms: 1 }).unwrap();
        let whole = Journal::read(&path, 1).unwrap();
        assert_eq!((whole.outcome(), whole.beginning().unwrap().release.as_str()), (Some(Outcome::Live), "r"));
        assert_eq!(Step::Dependencies.to_string(), "dependencies");
    }
}
