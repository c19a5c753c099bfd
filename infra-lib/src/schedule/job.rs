//! A command that runs on a schedule.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::when::When;

/// An operation with its arguments and its schedule.
///
/// ```
/// use infra_lib::ops::Job;
///
/// let job = Job { at: "daily 02:30".parse()?, command: vec!["db-backup".into(), "--name".into(), "at night".into()] };
/// assert_eq!(job.to_string(), "db-backup --name 'at night'");
/// # Ok::<(), infra_lib::ops::InvalidWhen>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The schedule on which it runs.
    pub at: When,
    /// The command and its arguments, as typed after `cargo xtask`.
    pub command: Vec<String>,
}

/// The operation that checks the installed jobs. It leaves itself out.
pub(crate) const HEALTH: &str = "health";

impl Job {
    /// The name of the operation: the command without its arguments.
    pub(crate) fn operation(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// An id of eight hexadecimal digits for this command in this environment. It does not depend on the schedule.
    pub(crate) fn id(&self, environment: &str) -> String {
        let digest = Sha256::digest(format!("{environment}\0{}", self.command.join("\0")));
        let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{number:08x}")
    }
}

/// The default jobs, unless the configuration says otherwise.
pub(crate) fn usual(has_database: bool) -> Vec<Job> {
    let jobs = [
        ("30 2 * * *", &["db-backup"][..]),
        ("0 4 * * 0", &["db-verify", "--drill", "latest"]),
        ("*/5 * * * *", &["health"]),
    ];
    let job = |(at, words): (&str, &[&str])| {
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        Some(Job { at: at.parse().ok()?, command })
    };
    let jobs = jobs.into_iter().filter_map(job);
    jobs.filter(|job| has_database || !job.operation().starts_with("db-")).collect()
}

/// Formats the command as it would be typed.
impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match shlex::try_join(self.command.iter().map(String::as_str)) {
            Ok(line) => f.write_str(&line),
            Err(_) => write!(f, "{:?}", self.command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_jobs_are_three_and_apart() {
        let jobs = usual(true);
        let ids: std::collections::BTreeSet<_> = jobs.iter().map(|job| job.id("development")).collect();
        assert_eq!((jobs.len(), ids.len()), (3, 3));
        assert_ne!(jobs[0].id("development"), jobs[0].id("production"));
        assert!(ids.iter().all(|id| id.len() == 8));
        assert_eq!(usual(false), jobs[2..]);
    }
}
