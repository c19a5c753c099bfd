//! Formatting a job as one line of a crontab.
//!
//! Cron hands the line to a shell, but first interprets it itself: `%` ends the command unless escaped with a
//! backslash, and other backslashes are treated differently by each cron. So lines contain neither.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::exec::Runner;
use crate::schedule::record::Planned;
use crate::schedule::{Job, ScheduleError, runs};

/// Where the jobs run: project, environment and program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The name of the compose project.
    pub(crate) project: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) root: &'a Utf8Path,
    /// The path of the program.
    pub(crate) program: &'a Utf8Path,
}

/// Cron's own limit for the length of a command, in bytes.
const LONGEST: usize = 998;

/// Variables of the caller that a job needs to behave as in a terminal: the engine to use, and the home folders of
/// the user and the local database. None of them is a secret.
const CARRIED: [&str; 5] = ["HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_STATE_HOME"];

/// The variables for the jobs, taken from the caller's environment.
pub(crate) fn variables(runner: &Runner) -> BTreeMap<String, String> {
    let mut dirs: Vec<std::path::PathBuf> = Vec::new();
    for dir in std::env::split_paths(runner.path()) {
        if dir.is_dir() && !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    let path = std::env::join_paths(dirs).unwrap_or_default().to_string_lossy().into_owned();
    let carried = CARRIED.iter().filter_map(|key| Some(((*key).to_owned(), std::env::var(key).ok()?)));
    carried.filter(|(_, value)| !value.is_empty()).chain([("PATH".to_owned(), path)]).collect()
}

/// The crontab line of a job, without the line end.
pub(super) fn line(
    place: &Place<'_>,
    planned: &Planned,
    known: &BTreeMap<String, String>,
) -> Result<String, ScheduleError> {
    let Job { at, command } = &planned.job;
    let job = (runs::VARIABLE.to_owned(), planned.job.id(place.environment));
    let variables = known.clone().into_iter().chain([job]);
    let settings = variables.map(|(key, value)| Ok(format!("{key}={}", quote(&value)?)));
    let options = ["-C", place.root.as_str(), "-e", place.environment, "-q"].map(str::to_owned);
    // `env` sets the variables, since a crontab may use any shell.
    let call = [place.program.to_string()].into_iter().chain(options).chain(command.iter().cloned());
    let words = ["/usr/bin/env".to_owned()].map(Ok).into_iter().chain(settings).chain(call.map(|word| quote(&word)));
    let words = words.collect::<Result<Vec<_>, _>>()?;
    let text = words.join(" ").replace('%', "\\%");
    if text.len() > LONGEST {
        let what = format!("the line for `{}`", planned.job);
        return Err(ScheduleError::Unfit {
            what,
            why: "it is longer than cron's 998 bytes; a shorter PATH would help",
        });
    }
    Ok(format!("{at} {text}"))
}

/// Quotes a word for any shell.
fn quote(word: &str) -> Result<String, ScheduleError> {
    let unfit = |why| ScheduleError::Unfit { what: format!("{word:?}"), why };
    if word.chars().any(char::is_control) {
        return Err(unfit("a line end or another control character"));
    }
    if word.contains('\\') {
        return Err(unfit("what a backslash means differs from cron to cron"));
    }
    Ok(match shlex::try_quote(word) {
        Ok(quoted) if !quoted.contains('\\') => quoted.into_owned(),
        _ => format!("'{}'", word.replace('\'', "'\"'\"'")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b09_words_come_through_cron_and_shell_unchanged() {
        let words = ["plain", "a b", "100%", "it's", "\"'$(x)`y`", "ü €", "", "~", "*", "a=b", "#", "^!"];
        for word in words {
            let quoted = quote(word).unwrap();
            assert_eq!(shlex::split(&quoted).unwrap(), [word], "{quoted}");
            assert!(!quoted.contains('\\'), "{quoted}");
        }
        for word in ["a\nb", "a\rb", "a\tb", "a\\b", "\0"] {
            assert!(matches!(quote(word), Err(ScheduleError::Unfit { .. })), "{word:?}");
        }
    }
}
