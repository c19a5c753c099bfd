//! Events in a terminal, with a spinner or bar for steps that take long.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::plain::printable;
use super::{Event, Observer, Plain, Unit, Verbosity};

/// Steps shorter than this show no bar.
const REVEAL_AFTER: Duration = Duration::from_secs(2);

/// Shows the current step as a spinner or bar below the lines that [`Plain`] writes.
pub struct Progress {
    plain: Plain,
    current: Mutex<Option<Step>>,
}

struct Step {
    text: String,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Creates a reporter for the terminal.
    pub fn new(verbosity: Verbosity) -> Self {
        Self::over(Plain::stdio(verbosity))
    }

    /// Creates a reporter that writes its lines through this [`Plain`].
    pub(crate) fn over(plain: Plain) -> Self {
        Self { plain, current: Mutex::new(None) }
    }

    fn with_step(&self, action: impl FnOnce(&mut Option<Step>)) {
        action(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes a line above the bar.
    fn line(&self, step: Option<&Step>, event: &Event<'_>) {
        match step.and_then(|step| step.bar.as_ref()) {
            Some(bar) => bar.suspend(|| self.plain.event(event)),
            None => self.plain.event(event),
        }
    }
}

impl Step {
    /// The bar, once the step has lasted long enough.
    fn reveal(&mut self) -> Option<&ProgressBar> {
        if self.bar.is_none() && self.since.elapsed() >= REVEAL_AFTER {
            let bar = ProgressBar::new_spinner().with_message(self.text.clone()).with_elapsed(self.since.elapsed());
            bar.enable_steady_tick(Duration::from_millis(120));
            self.bar = Some(bar);
        }
        self.bar.as_ref()
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        self.with_step(|step| match event {
            Event::Step { text } => {
                *step = None;
                self.plain.event(event);
                *step = Some(Step { text: printable(text), since: Instant::now(), bar: None });
            }
            Event::Waiting { text } | Event::Output { line: text, .. } => {
                self.line(step.as_ref(), event);
                if let Some(bar) = step.as_mut().and_then(Step::reveal) {
                    bar.set_message(printable(text).chars().take(100).collect::<String>());
                }
            }
            Event::Progress { what, done, total, unit } => {
                if let Some(bar) = step.as_mut().and_then(Step::reveal) {
                    // Set the style last, so that the bar is not drawn with missing numbers.
                    bar.set_message(printable(what));
                    bar.set_length(total.unwrap_or(0));
                    bar.set_position(*done);
                    bar.set_style(style(*unit, total.is_some()));
                }
            }
            _ => self.line(step.as_ref(), event),
        });
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

fn style(unit: Unit, bounded: bool) -> ProgressStyle {
    let template = match (unit, bounded) {
        (Unit::Bytes, true) => "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} {bar:20}",
        (Unit::Bytes, false) => "{spinner} {msg} {bytes} {bytes_per_sec}",
        (Unit::Items, true) => "{spinner} {msg} {pos}/{len} {eta} {bar:20}",
        (Unit::Items, false) => "{spinner} {msg} {pos}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
