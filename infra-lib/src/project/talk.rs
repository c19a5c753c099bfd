//! What operations say while they work.

use std::fmt::Display;

use serde::Serialize;

use crate::report::{Event, Unit};

use super::Project;

impl Project {
    /// Says that a step began.
    pub(crate) fn step(&self, text: impl Display) {
        self.observer.event(&Event::Step { text: &text.to_string() });
    }

    /// Says what is being waited for.
    pub(crate) fn waiting(&self, text: impl Display) {
        self.observer.event(&Event::Waiting { text: &text.to_string() });
    }

    /// Says how far the current step is.
    pub(crate) fn progress(&self, what: &str, done: u64, total: Option<u64>, unit: Unit) {
        self.observer.event(&Event::Progress { what, done, total, unit });
    }

    /// Says something worth knowing.
    pub(crate) fn note(&self, text: impl Display) {
        self.observer.event(&Event::Note { text: &text.to_string() });
    }

    /// Says something to look at.
    pub(crate) fn warn(&self, text: impl Display) {
        self.observer.event(&Event::Warning { text: &self.runner().redactor().clean(&text.to_string()) });
    }

    /// Hands over data while the operation goes on, as text for people and as JSON for programs.
    pub(crate) fn data(&self, item: &(impl Display + Serialize)) {
        let json = serde_json::to_string(item).unwrap_or_default();
        self.observer.event(&Event::Data { text: &item.to_string(), json: &json });
    }
}
