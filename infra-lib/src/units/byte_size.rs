//! Sizes in bytes, as written in `infra.toml`.

use std::fmt;
use std::str::FromStr;

use super::text::serialize_as_text;

/// A number of bytes such as `100KB` (1000) or `4GiB` (1024).
///
/// ```
/// let size: infra_lib::config::ByteSize = "100KB".parse().unwrap();
/// assert_eq!(size.bytes(), 100_000);
/// assert_eq!(infra_lib::config::ByteSize::new(5 << 20).to_string(), "5.0 MiB");
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
    /// Creates a size of this number of bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size as a number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; use 100KB, 20MB or 4GiB");
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

serialize_as_text!(ByteSize);
