//! Events as lines of text.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Event, Observer};
use crate::cancel::CancelToken;

const SIGPIPE: i32 = 13;

/// The maximum number of warning lines with [`Verbosity::Quiet`].
const QUIET_WARNINGS: usize = 4;

/// How much is printed during an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only a few lines of warnings, for cron.
    Quiet,
    /// The steps, notes and warnings.
    #[default]
    Normal,
    /// Also every command and the output of child processes.
    Verbose,
}

/// Writes events as lines: data to one writer, messages to the other.
///
/// Errors of a writer are ignored, so that a closed pipe or a full disk never changes an operation's result.
pub struct Plain {
    verbosity: Verbosity,
    json: bool,
    /// What to write before a snapshot. If `None`, an empty line separates snapshots.
    clear: Option<&'static str>,
    unread: Option<CancelToken>,
    /// The number of warning lines so far.
    warned: AtomicUsize,
    data: Mutex<Box<dyn Write + Send>>,
    talk: Mutex<Box<dyn Write + Send>>,
}

impl Plain {
    /// Creates an observer that writes data and messages to these writers.
    pub fn new(verbosity: Verbosity, data: Box<dyn Write + Send>, talk: Box<dyn Write + Send>) -> Self {
        Self {
            verbosity,
            json: false,
            clear: None,
            unread: None,
            warned: AtomicUsize::new(0),
            data: Mutex::new(data),
            talk: Mutex::new(talk),
        }
    }

    /// Writes data to stdout and messages to stderr.
    pub fn stdio(verbosity: Verbosity) -> Self {
        Self::new(verbosity, Box::new(std::io::stdout()), Box::new(std::io::stderr()))
    }

    /// Cancels once the reader of the data is gone, so that `logs -f | head` ends. The signal is SIGPIPE.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn cancel_when_unread(mut self, cancel: &CancelToken) -> Self {
        self.unread = Some(cancel.clone());
        self
    }

    /// Writes these codes before each snapshot, such as those that clear a terminal.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn clear_with(mut self, codes: &'static str) -> Self {
        self.clear = Some(codes);
        self
    }

    /// Writes data as JSON Lines. Other output, such as the commands of a dry run, goes to the messages instead.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }
}

impl Plain {
    /// The warning as shown, or `None` beyond the limit: cron mails every line.
    fn warning(&self, text: &str) -> Option<String> {
        let text = format!("warning: {}", printable(text));
        if self.verbosity > Verbosity::Quiet {
            return Some(text);
        }
        let before = self.warned.fetch_add(text.lines().count(), Ordering::Relaxed);
        let left = (QUIET_WARNINGS - 1).checked_sub(before)?;
        if text.lines().count() <= left {
            return Some(text);
        }
        let shown = text.lines().take(left).chain(["warning: there is more, shown without --quiet"]);
        Some(shown.collect::<Vec<_>>().join("\n"))
    }
}

impl Observer for Plain {
    fn event(&self, event: &Event<'_>) {
        let shown = |least| self.verbosity >= least;
        let (writer, line) = match event {
            Event::Data { text, json } => (&self.data, (*if self.json { json } else { text }).to_owned()),
            Event::Snapshot { json, .. } if self.json => (&self.data, (*json).to_owned()),
            Event::Snapshot { text, .. } => {
                let text = self.clear.map_or_else(|| format!("{text}\n"), |clear| format!("{clear}{text}"));
                (&self.data, text)
            }
            Event::WouldRun { command } if self.json => (&self.talk, (*command).to_owned()),
            Event::WouldRun { command } => (&self.data, (*command).to_owned()),
            Event::Warning { text } => match self.warning(text) {
                Some(line) => (&self.talk, line),
                None => return,
            },
            Event::Step { text } | Event::Note { text } if shown(Verbosity::Normal) => (&self.talk, printable(text)),
            Event::Running { command } if shown(Verbosity::Verbose) => {
                (&self.talk, format!("+ {}", printable(command)))
            }
            Event::Output { source, line } if shown(Verbosity::Verbose) => {
                (&self.talk, format!("{}: {}", printable(source), printable(line)))
            }
            _ => return,
        };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(writer, "{line}").and_then(|()| writer.flush());
        if let (Event::Data { .. } | Event::Snapshot { .. }, Err(_), Some(cancel)) = (event, written, &self.unread) {
            cancel.cancel(SIGPIPE);
        }
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

/// The text with control characters made visible, so that a name or a server's message cannot move the cursor or
/// change colours. Line ends and tabs are kept.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() && c != '\n' && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b09_s38_control_characters_are_made_visible() {
        assert_eq!(printable("a\x1b[2Jb\tc\nd"), "a\\u{1b}[2Jb\tc\nd");
    }
}
