//! What a psql session of ours says while it works.

/// The words that it prints on stdout, each behind a nonce that no file knows.
pub(super) mod word {
    /// Somebody else has the lock: their session follows.
    pub(crate) const BUSY: &str = "busy";
    /// The ledger is not what was read.
    pub(crate) const CHANGED: &str = "changed";
    /// The number of the file that begins.
    pub(crate) const BEGUN: &str = "begun";
    /// The line of the statement that begins.
    pub(crate) const AT: &str = "at";
    /// The number of the file that is done.
    pub(crate) const DONE: &str = "done";
    /// The number of a file that somebody else has run meanwhile.
    pub(crate) const SKIPPED: &str = "skipped";
    /// The file has ended its transaction.
    pub(crate) const ENDED: &str = "ended";
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) busy: Option<String>,
    pub(super) changed: bool,
    pub(super) ended: bool,
    /// The file that has begun, and the line that it is at.
    pub(super) begun: Option<usize>,
    pub(super) at: Option<usize>,
    /// How many are done.
    pub(super) done: usize,
    /// How many of these were done by somebody else.
    pub(super) skipped: usize,
}

impl Heard {
    /// Takes in a line without its nonce; `begun` is told the number of a file that begins.
    pub(super) fn hear(&mut self, said: &str, begun: impl Fn(usize)) {
        let (first, rest) = said.split_once(' ').unwrap_or((said, ""));
        let number = rest.trim().parse().ok();
        match first {
            // The session that has it comes first, if there is one to be seen.
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
