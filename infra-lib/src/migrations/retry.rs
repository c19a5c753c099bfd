//! Retries until a deadline.

use std::time::{Duration, Instant};

use crate::project::Project;
use crate::project::error::{Error, Result};

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

    /// Sleeps if the error may be temporary and time is left; otherwise returns the error.
    pub(super) fn wait(&mut self, project: &Project, error: Error) -> Result<()> {
        let passing =
            matches!(error.downcast_ref(), Some(MigrationError::Busy { .. } | MigrationError::Blocked { .. }));
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
