//! Trying again until the time is over.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::project::Project;

use super::MigrationError;

/// Pauses between attempts, each longer than the last.
pub(super) struct Patience {
    until: Instant,
    pause: Duration,
    told: Option<String>,
}

impl Patience {
    pub(super) fn new(total: Duration) -> Self {
        Self { until: Instant::now() + total, pause: Duration::from_millis(250), told: None }
    }

    /// Sleeps, if the failure may be over in a moment and there is time left; else it is final.
    pub(super) fn wait(&mut self, project: &Project, error: Error) -> Result<()> {
        let passing = matches!(&error, Error::Migration(MigrationError::Busy { .. } | MigrationError::Blocked { .. }));
        if !passing || Instant::now() + self.pause > self.until {
            return Err(error);
        }
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            project.note(format_args!("{text}; trying again"));
            self.told = Some(text);
        }
        project.cancel().sleep(self.pause)?;
        self.pause = (self.pause * 2).min(Duration::from_secs(4));
        Ok(())
    }
}
