//! The deploys of an environment, by number.

use camino::Utf8PathBuf;

use crate::state::{StateDir, StateError};

use super::{Beginning, End, Journal, Outcome};

/// The deploys of one environment: `.infra/deploys/<environment>`. Their numbers give the order, never the clock.
#[derive(Debug, Clone)]
pub(crate) struct Deploys {
    folder: Utf8PathBuf,
}

impl Deploys {
    pub(crate) fn new(state: &StateDir, environment: &str) -> Self {
        Self { folder: state.path().join("deploys").join(environment) }
    }

    fn path(&self, number: u64) -> Utf8PathBuf {
        self.folder.join(format!("{number}.jsonl"))
    }

    /// The compose file of a deploy, which pins images and adds labels: the last `-f`.
    pub(crate) fn overlay(&self, number: u64) -> Utf8PathBuf {
        self.folder.join(format!("{number}.compose.json"))
    }

    /// The numbers of all deploys, newest first.
    fn numbers(&self) -> Vec<u64> {
        let entries = self.folder.read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
        let mut numbers: Vec<u64> =
            entries.filter_map(|entry| entry.file_name().strip_suffix(".jsonl")?.parse().ok()).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers
    }

    /// The journals of all deploys, newest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Journal> + '_ {
        self.numbers().into_iter().filter_map(|number| self.get(number))
    }

    pub(crate) fn get(&self, number: u64) -> Option<Journal> {
        Journal::read(&self.path(number), number)
    }

    /// The deploy whose release is live: the newest one that ended well, unless `clean` removed the stack since.
    pub(crate) fn live(&self) -> Option<Journal> {
        let ended = |journal: &Journal| matches!(journal.outcome(), Some(Outcome::Live | Outcome::Cleaned));
        self.all().find(ended).filter(|journal| journal.outcome() == Some(Outcome::Live))
    }

    /// The newest deploy, if it was interrupted or still runs.
    pub(crate) fn unfinished(&self) -> Option<Journal> {
        self.all().next().filter(|journal| journal.outcome().is_none())
    }

    /// Begins the next deploy.
    pub(crate) fn begin(&self, state: &StateDir, begin: Beginning) -> Result<Journal, StateError> {
        state.ensure_folder(&self.folder)?;
        let number = self.next_number();
        Journal::begin(&self.path(number), number, begin)
    }

    /// Records that the stack was removed, if a release was live.
    pub(crate) fn clean(&self, state: &StateDir) -> Result<(), StateError> {
        let Some(live) = self.live() else { return Ok(()) };
        let Some(begin) = live.beginning().cloned() else { return Ok(()) };
        let end = End { outcome: Outcome::Cleaned, cause: None, duration_ms: 0 };
        self.begin(state, Beginning { previous: Some(live.number), ..begin })?.end(end)
    }

    /// The number that the next deploy gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers().first().map_or(1, |newest| newest.saturating_add(1))
    }
}
