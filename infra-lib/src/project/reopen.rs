//! Reopening a project after its env files or the choices of `setup` have changed.

use crate::cancel::CancelToken;
use crate::consent::Given;
use crate::project::error::Result;
use crate::project::operation::Operation;
use crate::release::Running;

use super::source::Source;
use super::{Project, ProjectBuilder, Record};

impl Project {
    /// The same project with its files read again and this record.
    pub(crate) fn reopen(&self, record: impl Into<Option<Record>>) -> Result<Self> {
        ProjectBuilder::like(self, record.into()).open()
    }

    /// The same project in another environment, with the recorded choices of `setup`.
    pub(crate) fn in_environment(&self, name: &str) -> Result<Self> {
        ProjectBuilder::like(self, None).environment(name).open()
    }

    /// The same project with consent given: the user has confirmed the complete operation already.
    pub(crate) fn consented(&self) -> Result<Self> {
        let consent = Given { yes: true, confirm: Some(self.name().to_owned()) };
        ProjectBuilder::like(self, None).consent(consent).open()
    }

    /// The same project, read from the checkout even if a release is live.
    pub(crate) fn in_checkout(&self) -> Result<Self> {
        ProjectBuilder { source: Source::Checkout, ..ProjectBuilder::like(self, None) }.open()
    }

    /// The same project, read from this release.
    pub(crate) fn in_release(&self, running: Running) -> Result<Self> {
        ProjectBuilder { source: Source::Release(Box::new(running)), ..ProjectBuilder::like(self, None) }.open()
    }

    /// Like `in_release`, for work that no signal interrupts.
    pub(crate) fn in_release_to_the_end(&self, running: Running) -> Result<Self> {
        let (source, cancel) = (Source::Release(Box::new(running)), CancelToken::new());
        ProjectBuilder { cancel, source, ..ProjectBuilder::like(self, None) }.open()
    }

    /// Runs an operation as part of another one. Only the outer one is recorded in the journal.
    pub(crate) fn nested<O: Operation>(&self, operation: &O) -> Result<O::Outcome> {
        operation.run(self)
    }

    /// Saves the record. Returns whether it differed from the previous one.
    pub(crate) fn save_record(&self) -> Result<bool> {
        let before: Option<Record> = self.state().read(Record::FILE);
        match self.record() {
            Some(record) if before.as_ref() != Some(record) => {
                let what = format!("record the choice in {}", self.state().path().join(Record::FILE));
                self.runner().apply(what, || self.state().write(Record::FILE, record))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
