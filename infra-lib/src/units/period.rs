//! Lengths of time, as written in `infra.toml`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

use super::text::serialize_as_text;

/// A length of time such as `500ms`, `26h` or `90d`; a day has 24 hours.
///
/// ```
/// let period: infra_lib::config::Period = "26h".parse().unwrap();
/// assert_eq!((period.duration().as_secs(), period.to_string()), (26 * 3600, "26h".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

impl Period {
    /// Creates a period of this length.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The length as a `Duration`.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("`{text}` is not a duration; use 500ms, 30s, 15m, 26h or 90d");
        let span: Span = text.parse().map_err(wrong)?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(wrong)?;
        Duration::try_from(duration).map(Self).map_err(wrong)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 24 * 3600;
        match jiff::SignedDuration::try_from(self.0) {
            _ if self.0.as_secs() >= 2 * DAY && self.0.as_secs().is_multiple_of(DAY) && self.0.subsec_nanos() == 0 => {
                write!(f, "{}d", self.0.as_secs() / DAY)
            }
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => write!(f, "{} s", self.0.as_secs()),
        }
    }
}

serialize_as_text!(Period);
