//! Migration versions and their order.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// A migration's version, as its tool writes it. Versions with equal numbers are equal: `0001` and `1`, `1.0` and
/// `1`.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    numbers: Vec<i64>,
    text: String,
}

impl Version {
    /// Parses integers separated by dots or underscores; `None` if the text is not a version.
    pub(super) fn dotted(text: &str) -> Option<Self> {
        let numbers = text.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?;
        Some(Self { numbers, text: text.to_owned() })
    }

    /// A version with one number, displayed as `text`.
    pub(super) fn number(number: i64, text: impl Into<String>) -> Self {
        Self { numbers: vec![number], text: text.into() }
    }

    /// The version as its tool writes it.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The first number of the version.
    pub(super) fn first(&self) -> i64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    /// The numbers without trailing zeros: equal for `1.0` and `1`.
    pub(super) fn canonical(&self) -> String {
        let numbers = if self.significant().is_empty() { &[0] } else { self.significant() };
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
    }

    /// Whether the typed text refers to this version.
    pub(super) fn is_meant_by(&self, typed: &str) -> bool {
        self.text == typed || Self::dotted(typed).is_some_and(|typed| typed == *self)
    }

    /// The numbers without trailing zeros.
    fn significant(&self) -> &[i64] {
        let end = self.numbers.iter().rposition(|&number| number != 0).map_or(0, |last| last + 1);
        &self.numbers[..end]
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.numbers[..], &other.numbers[..]) {
            // Fast path: most versions have one number.
            ([one], [other]) => one.cmp(other),
            _ => self.significant().cmp(other.significant()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = |text| Version::dotted(text).unwrap();
        assert!(version("9") < version("10") && version("1.2") < version("1.10") && version("1") < version("1.0.1"));
        assert_eq!(version("0001"), version("1"));
        assert_eq!(version("1_0"), version("1"));
        assert!(Version::dotted("1.x").is_none() && Version::dotted("").is_none());
        assert!(version("0005").is_meant_by("5") && !version("5").is_meant_by("50"));
    }
}
