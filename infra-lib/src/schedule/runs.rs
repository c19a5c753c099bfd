//! The last run of each job. The journal only records changes, and not whether cron started them.

use crate::journal::Entry;
use crate::state::{StateDir, StateError};

/// The variable that holds the job's id while cron runs it.
pub(crate) const VARIABLE: &str = "INFRA_JOB";

/// The id of the job that this process runs as, if any.
pub(crate) fn current() -> Option<String> {
    std::env::var("INFRA_JOB").ok().filter(|id| is_id(id))
}

/// Whether the text is a valid job id: it becomes part of a file name.
fn is_id(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Records the result of the job, replacing the previous one.
pub(crate) fn note(state: &StateDir, id: &str, entry: &Entry) -> Result<(), StateError> {
    state.write(&file(id), entry)
}

/// The result of the job's last run.
pub(crate) fn last(state: &StateDir, id: &str) -> Option<Entry> {
    state.read(&file(id))
}

fn file(id: &str) -> String {
    format!("job-{id}.json")
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn s16_an_id_leads_to_no_other_folder() {
        assert!(is_id("00c0ffee"));
        for text in ["", "../../..", "00c0ffe", "00c0ffee0", "0/c0ffee"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
