//! From when on.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::Period;

/// A moment in the past: so long ago, or a date and time.
///
/// ```
/// use infra_lib::ops::LogsSince;
/// assert!(matches!("2026-01-31T08:00:00Z".parse()?, LogsSince::At(_)));
/// assert!(matches!("10m".parse()?, LogsSince::Ago(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogsSince {
    /// This long ago.
    Ago(Period),
    /// Then.
    At(Timestamp),
}

impl LogsSince {
    /// The moment itself.
    pub(crate) fn moment(self) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(period) => {
                let back = SignedDuration::try_from(period.duration()).unwrap_or(SignedDuration::MAX);
                Timestamp::now().checked_sub(back).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

impl FromStr for LogsSince {
    type Err = String;

    /// A moment without an offset is meant in this machine's time zone.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(period) = text.parse() {
            return Ok(Self::Ago(period));
        }
        if let Ok(moment) = text.parse() {
            return Ok(Self::At(moment));
        }
        let local = text.parse::<DateTime>().ok().and_then(|local| local.to_zoned(TimeZone::system()).ok());
        local
            .map(|zoned| Self::At(zoned.timestamp()))
            .ok_or_else(|| format!("`{text}` is neither a duration (10m, 2h, 3d) nor a time (2026-01-31T08:00)"))
    }
}

impl fmt::Display for LogsSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(period) => period.fmt(f),
            Self::At(moment) => moment.fmt(f),
        }
    }
}
