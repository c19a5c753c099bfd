//! File names of backups: `<project>-<database>-YYYYMMDDTHHMMSSZ[-label]`.
//!
//! Project and database take a reversible encoding: letters, digits, `.`, `_` and `-` stay, anything else becomes `%XX`
//! of its bytes in UTF-8, and so does a `.` or `-` in front.

use std::fmt;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};
use crate::exit::Exit;

/// The longest label, in bytes.
const LONGEST_LABEL: usize = 100;
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// What a backup's files are called, without their extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stem {
    pub(crate) project: String,
    /// The database, or `volume.<name>`.
    pub(crate) subject: String,
    /// To the second.
    pub(crate) time: Timestamp,
    pub(crate) label: Option<String>,
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.to_zoned(TimeZone::UTC).strftime(TIME);
        write!(f, "{}-{}-{time}", encode(&self.project), encode(&self.subject))?;
        self.label.iter().try_for_each(|label| write!(f, "-{label}"))
    }
}

/// The name as a part of a file's name.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::new();
    for (at, byte) in name.bytes().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || byte == b'_' || (at > 0 && matches!(byte, b'.' | b'-'));
        if stays {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An error unless the text may be a label: a letter or digit, then up to 99 of letters, digits, `.`, `_` and `-`.
pub(crate) fn check_label(label: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let good = label.len() <= LONGEST_LABEL
        && label.bytes().all(plain)
        && label.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if good && label != "latest" {
        return Ok(());
    }
    Err(Error::new(Exit::Usage, format!("`{}` cannot be a backup's name", label.escape_debug())).with_hint(
        "begin with a letter or digit; at most 100 letters, digits, dots, dashes and underscores; not `latest`",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '%' {
                bytes.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
                rest = rest.get(3..)?;
            } else {
                bytes.extend(first.encode_utf8(&mut [0; 4]).bytes());
                rest = &rest[first.len_utf8()..];
            }
        }
        String::from_utf8(bytes).ok()
    }

    #[test]
    fn a_name_says_what_when_and_why() {
        let time = "2026-11-20T02:30:05.7Z".parse().unwrap();
        let stem = Stem { project: "shop".into(), subject: "my db".into(), time, label: Some("nightly".into()) };
        assert_eq!(stem.to_string(), "shop-my%20db-20261120T023005Z-nightly");
        assert_eq!(encode("-x.y"), "%2Dx.y");
    }

    #[test]
    fn b07_a_label_is_a_plain_word() {
        for good in ["nightly", "2026", "a.b_c-d", &"x".repeat(100)] {
            check_label(good).unwrap();
        }
        for bad in ["", "../../x", "/etc", "-x", ".x", "a b", "a\n", "ä", "latest", &"x".repeat(101)] {
            assert_eq!(check_label(bad).unwrap_err().exit(), Exit::Usage, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn b03_any_name_is_a_plain_file_name_and_can_be_read_back(name in "\\PC{1,63}") {
            let encoded = encode(&name);
            prop_assert!(!encoded.starts_with(['.', '-']) && !encoded.contains('/'));
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(&encoded), Some(name));
        }
    }
}
