//! Describes what a destructive operation will destroy, for the confirmation prompt.

use crate::consent::Destruction;
use crate::exit::Exit;
use crate::postgres::{Database, Mark, Place};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::catalogue::last_in_words;

impl Project {
    /// Describes a destructive operation in this environment.
    pub(crate) fn destruction(&self, operation: &'static str, items: Vec<String>) -> Destruction {
        Destruction {
            operation,
            project: self.name().to_owned(),
            environment: self.environment().name.clone(),
            protected: self.environment().protected,
            ambiguous: false,
            additive: false,
            items,
            last_backup: last_in_words(self),
        }
    }

    /// Describes the destruction of a database's content and considers the database's mark. A database marked as
    /// another environment's is refused, and an unmarked one on an external server is protected.
    pub(crate) fn database_destruction(&self, operation: &'static str, database: &Database) -> Result<Destruction> {
        let mut destruction = self.destruction(operation, Vec::new());
        let ours = Mark::for_project(self);
        match database.mark(self)? {
            Some(mark) if mark == ours => {}
            Some(mark) => {
                return Err(Error::new(
                    Exit::Refused,
                    format!(
                        "the database {} is marked as {} of {}, but this is {} of {}; nothing was changed",
                        database.name, mark.environment, mark.project, ours.environment, ours.project
                    ),
                )
                .with_hint(format!(
                    "if that is the one you mean: `cargo xtask -e {} {operation} …`",
                    mark.environment
                )));
            }
            None => destruction.protected |= matches!(database.place, Place::Url { .. }),
        }
        Ok(destruction)
    }
}
