//! What a probe is, and what probes share.

use std::time::Duration;

use crate::report::Check;

use super::snapshot::Snapshot;

/// How long a probe waits for an answer over the network.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// How long a program that a probe runs may take.
pub(super) const PROGRAM: Duration = Duration::from_secs(10);

/// One thing that is probed.
pub(crate) trait Probe: Send + Sync {
    /// What is probed, in case the probe itself fails.
    fn target(&self) -> String;

    /// Runs the probe. It changes nothing and never waits longer than [`PROGRAM`].
    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check>;
}

/// A check that is known without a probe.
pub(super) struct Known(pub(super) Check);

impl Probe for Known {
    fn target(&self) -> String {
        self.0.target.clone()
    }

    fn check(&self, _: &Snapshot<'_>) -> Vec<Check> {
        vec![self.0.clone()]
    }
}

/// The text on one line, shortened.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}
