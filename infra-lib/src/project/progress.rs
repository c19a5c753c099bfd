//! How operations report their progress.

use std::fmt::Display;

use serde::Serialize;

use crate::report::{Event, Unit};

use super::Project;

impl Project {
    /// Reports the start of a step.
    pub fn step(&self, text: impl Display) {
        self.observer.event(&Event::Step { text: &self.commands.expand(&text.to_string()) });
    }

    /// Reports what the current step is waiting for.
    pub(crate) fn waiting(&self, text: impl Display) {
        self.observer.event(&Event::Waiting { text: &self.commands.expand(&text.to_string()) });
    }

    /// Reports the progress of the current step.
    pub(crate) fn progress(&self, what: &str, done: u64, total: Option<u64>, unit: Unit) {
        self.observer.event(&Event::Progress { what, done, total, unit });
    }

    /// Reports something worth knowing.
    pub(crate) fn note(&self, text: impl Display) {
        self.observer.event(&Event::Note { text: &self.commands.expand(&text.to_string()) });
    }

    /// Reports a warning; it does not change the exit code.
    pub fn warn(&self, text: impl Display) {
        let text = self.runner().redactor().clean(&text.to_string());
        self.observer.event(&Event::Warning { text: &self.commands.expand(&text) });
    }

    /// Reports the latest state of what is being watched.
    pub(crate) fn snapshot(&self, state: &(impl Display + Serialize)) {
        let json = serde_json::to_string(state).unwrap_or_default();
        self.observer.event(&Event::Snapshot { text: &state.to_string(), json: &json });
    }

    /// Emits data during the operation, as text for people and as JSON for programs.
    pub(crate) fn data(&self, item: &(impl Display + Serialize)) {
        let json = serde_json::to_string(item).unwrap_or_default();
        self.observer.event(&Event::Data { text: &item.to_string(), json: &json });
    }
}
