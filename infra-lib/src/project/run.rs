//! Running an operation and recording its result.

use std::time::Instant;

use jiff::Timestamp;

use super::Project;
use super::error::{Error, Result};
use super::operation::{Operation, Outcome};
use crate::journal;
use crate::schedule;

impl Project {
    /// Runs an operation and records its result in the journal.
    pub fn run<O: Operation>(&self, operation: &O) -> Result<O::Outcome> {
        let began = (Timestamp::now(), Instant::now());
        let result = self.runner().cancel().check().map_err(Error::from).and_then(|()| operation.run(self));
        let job = schedule::runs::current();
        if (operation.is_journaled() || job.is_some()) && !self.runner().is_dry_run() {
            let error = result.as_ref().err().map(|error| self.runner().redactor().clean(&error.to_string()));
            let exit = result.as_ref().map_or_else(Error::exit, Outcome::exit);
            let entry = journal::Entry::new(began.0, O::NAME, &self.environment().name, began.1.elapsed(), exit, error);
            // The operation's result is returned whether or not it could be recorded.
            let noted = if operation.is_journaled() { entry.append(self.state()) } else { Ok(()) };
            let noted = noted.and(job.map_or(Ok(()), |id| schedule::runs::note(self.state(), &id, &entry)));
            if let Err(error) = noted {
                self.warn(format_args!("the journal was not written: {error}"));
            }
        }
        result
    }
}
