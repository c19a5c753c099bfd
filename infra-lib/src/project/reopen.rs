//! Opening a project again, after its env files or `setup`'s choice have changed.

use crate::consent::Given;
use crate::error::Result;
use crate::operation::Operation;

use super::{Project, ProjectBuilder, Record};

impl Project {
    /// The same project with what its files say now, and this choice.
    pub(crate) fn reopen(&self, record: impl Into<Option<Record>>) -> Result<Self> {
        ProjectBuilder::like(self, record.into()).open()
    }

    /// The same project in another environment, with what `setup` has recorded.
    pub(crate) fn in_environment(&self, name: &str) -> Result<Self> {
        ProjectBuilder::like(self, None).environment(name).open()
    }

    /// The same project, whose questions were answered with yes: what is about to be done was asked as a whole.
    pub(crate) fn consented(&self) -> Result<Self> {
        let consent = Given { yes: true, confirm: Some(self.name().to_owned()) };
        ProjectBuilder::like(self, None).consent(consent).open()
    }

    /// Runs an operation as a part of another one: the outer one stands in the journal.
    pub(crate) fn nested<O: Operation>(&self, operation: &O) -> Result<O::Outcome> {
        operation.run(self)
    }

    /// Writes the choice, and says whether it was another one before.
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
