//! How each job ended last. The journal has only what changes something, and does not know who began it.

use crate::error::Result;
use crate::journal::Entry;
use crate::state::StateDir;

/// The variable by which a job knows that it is one, and which.
pub(crate) const VARIABLE: &str = "INFRA_JOB";

/// The job that this process is, if it is one.
pub(crate) fn current() -> Option<String> {
    std::env::var("INFRA_JOB").ok().filter(|id| is_id(id))
}

/// It becomes part of a file's name.
fn is_id(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Notes how the job has ended, in the place of the time before.
pub(crate) fn note(state: &StateDir, id: &str, entry: &Entry) -> Result<()> {
    state.write(&file(id), entry)
}

/// How the job ended last.
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
