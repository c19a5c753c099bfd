//! Values with a notation of their own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time such as `500ms`, `26h` or `90d`; a day has 24 hours.
///
/// ```
/// let period: infra_lib::manifest::Period = "26h".parse().unwrap();
/// assert_eq!((period.duration().as_secs(), period.to_string()), (26 * 3600, "26h".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

impl Period {
    /// A period of this length.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// Its length.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("`{text}` is not a length of time; write 500ms, 30s, 15m, 26h or 90d");
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

/// A number of bytes such as `100KB` (1000) or `4GiB` (1024).
///
/// ```
/// let size: infra_lib::manifest::ByteSize = "100KB".parse().unwrap();
/// assert_eq!(size.bytes(), 100_000);
/// assert_eq!(infra_lib::manifest::ByteSize::new(5 << 20).to_string(), "5.0 MiB");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("", 1),
    ("KB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

impl ByteSize {
    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; write 100KB, 20MB or 4GiB");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).ok_or_else(wrong)?;
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = UNITS.iter().rev().filter(|(name, _)| name.ends_with("iB"));
        match binary.into_iter().find(|(_, factor)| self.0 >= *factor) {
            Some((name, factor)) => write!(f, "{:.1} {name}", self.0 as f64 / *factor as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// Where a value stands: never the value itself, since `infra.toml` is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// `env:NAME`: a variable of the project's env files, or of the caller's environment, which wins.
    Env(String),
    /// `file:PATH`: the content of a file, without its last line end.
    File(String),
    /// `cmd:PROGRAM ARG…`: what a program prints, without the last line end. No shell is involved.
    Command(Vec<String>),
    /// The value itself, for names that are no secret, such as a database's.
    Literal(String),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':') {
            Some(("env", name)) => Self::Env(name.to_owned()),
            Some(("file", path)) => Self::File(path.to_owned()),
            Some(("cmd", words)) => Self::Command(
                shlex::split(words)
                    .filter(|words| !words.is_empty())
                    .ok_or("`cmd:` needs a program, with its quotes closed")?,
            ),
            _ => Self::Literal(text.to_owned()),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Command(words) => write!(f, "cmd:{}", words.join(" ")),
            Self::Literal(text) => f.write_str(text),
        }
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}
as_text!(Period, ByteSize, Reference);
