//! `history`

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::journal::{self, Entry};
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{seconds, table};

/// Show who ran what, when, and how it ended.
///
/// Operations that change something are recorded in the journal `.infra/journal.jsonl`.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct History {
    /// Show the last N entries [default: 20].
    #[cfg_attr(feature = "cli", arg(long, value_name = "N"))]
    pub limit: Option<usize>,
}

/// The last entries of the journal.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct HistoryReport {
    /// The entries, oldest first; at most `limit` of them.
    pub entries: Vec<Entry>,
}

impl Operation for History {
    const NAME: &'static str = "history";
    const GROUP: Group = Group::General;
    const JOURNAL: bool = false;
    type Outcome = HistoryReport;

    fn run(&self, project: &Project) -> Result<HistoryReport> {
        Ok(HistoryReport { entries: journal::read(project.state(), self.limit.unwrap_or(20)) })
    }
}

impl Outcome for HistoryReport {}

impl fmt::Display for HistoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return f.write_str("no operation has been recorded yet");
        }
        let zone = TimeZone::system();
        let rows = self.entries.iter().map(|entry| {
            let message = entry.error.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
            [
                entry.at.to_zoned(zone.clone()).strftime("%F %T").to_string(),
                entry.who.clone(),
                entry.environment.clone(),
                entry.operation.clone(),
                seconds(Duration::from_millis(entry.duration_ms)),
                if message.is_empty() { entry.outcome.clone() } else { format!("{}: {message}", entry.outcome) },
            ]
        });
        f.write_str(&table(["WHEN", "WHO", "ENVIRONMENT", "OPERATION", "TOOK", "OUTCOME"], rows))
    }
}
