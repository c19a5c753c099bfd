//! The messages that our psql session prints while it works.

/// The words printed on stdout, each after a nonce that no file contains.
pub(super) mod word {
    /// Another session holds the lock; its description follows.
    pub(crate) const BUSY: &str = "busy";
    /// The ledger changed after it was read.
    pub(crate) const CHANGED: &str = "changed";
    /// The number of the file that begins.
    pub(crate) const BEGUN: &str = "begun";
    /// The line of the statement that begins.
    pub(crate) const AT: &str = "at";
    /// The number of the file that is done.
    pub(crate) const DONE: &str = "done";
    /// The number of a file that another process ran in the meantime.
    pub(crate) const SKIPPED: &str = "skipped";
    /// The file ended its transaction.
    pub(crate) const ENDED: &str = "ended";
}

/// The messages received so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) busy: Option<String>,
    pub(super) changed: bool,
    pub(super) ended: bool,
    /// The number of the file in progress.
    pub(super) begun: Option<usize>,
    pub(super) at: Option<usize>,
    /// The number of completed files.
    pub(super) done: usize,
    /// How many of these another process completed.
    pub(super) skipped: usize,
}

impl Heard {
    /// Processes a line without its nonce. `begun` is called with the number of each file that begins.
    pub(super) fn hear(&mut self, said: &str, begun: impl Fn(usize)) {
        let (first, rest) = said.split_once(' ').unwrap_or((said, ""));
        let number = rest.trim().parse().ok();
        match first {
            // The session that holds the lock is listed first, if it is visible.
            word::BUSY => {
                let known = self.busy.take().filter(|it| !it.is_empty());
                self.busy = Some(known.unwrap_or_else(|| rest.to_owned()));
            }
            word::CHANGED => self.changed = true,
            word::ENDED => self.ended = true,
            word::BEGUN => {
                (self.begun, self.at) = (number, None);
                number.into_iter().for_each(begun);
            }
            word::AT => self.at = number,
            word::DONE => self.done = number.map_or(self.done, |number| number + 1),
            word::SKIPPED => {
                self.skipped += 1;
                self.done = number.map_or(self.done, |number| number + 1);
            }
            _ => {}
        }
    }
}
