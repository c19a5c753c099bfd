//! What tells migrations apart and puts them in order.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// A migration's version, as its tool writes it. Two are the same if their numbers are: `0001` and `1`, `1.0` and `1`.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    numbers: Vec<i64>,
    text: String,
}

impl Version {
    /// Of whole numbers separated by dots or underscores. `None`: it is none.
    pub(super) fn dotted(text: &str) -> Option<Self> {
        let numbers = text.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?;
        Some(Self { numbers, text: text.to_owned() })
    }

    /// Of one number, written as this text.
    pub(super) fn number(number: i64, text: impl Into<String>) -> Self {
        Self { numbers: vec![number], text: text.into() }
    }

    /// As its tool writes it.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its first number.
    pub(super) fn first(&self) -> i64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    /// Whether somebody who typed this means it.
    pub(super) fn is_meant_by(&self, typed: &str) -> bool {
        self.text == typed || Self::dotted(typed).is_some_and(|typed| typed == *self)
    }

    /// Zeros at the end change nothing.
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
            // What nearly all of them are.
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
