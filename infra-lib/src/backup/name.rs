//! Backup file names: `<project>-<database>-YYYYMMDDTHHMMSSZ[-label]`.
//!
//! Project and database names use a reversible encoding: letters, digits, `.`, `_` and `-` are kept, other characters
//! become the `%XX` of their UTF-8 bytes, and so does a leading `.` or `-`. A name that is too long for file systems
//! is truncated and ends with `~` and eight digits of a digest; the manifest contains the full name.

use std::fmt;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::Exit;
use crate::hex;
use crate::project::error::{Error, Result};

/// The label of the backup that a restore makes of what it replaces.
pub(crate) const BEFORE_RESTORE: &str = "before-restore";
/// The longest label, in bytes.
const LONGEST_LABEL: usize = 100;
/// The longest name without an extension: the file system limit minus a leading dot and the longest unfinished
/// suffix.
const LONGEST_STEM: usize = 255 - 1 - ".00000000.globals.sql.infra-part".len();
/// The length of `-YYYYMMDDTHHMMSSZ`.
const TIME_LENGTH: usize = 17;
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// The name of a backup's files, without an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stem {
    pub(crate) project: String,
    /// The database, or `volume.<name>`.
    pub(crate) subject: String,
    /// The creation time, in full seconds.
    pub(crate) time: Timestamp,
    pub(crate) label: Option<String>,
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.to_zoned(TimeZone::UTC).strftime(TIME);
        let taken = TIME_LENGTH + 1 + self.label.as_ref().map_or(0, |label| label.len() + 1);
        let room = LONGEST_STEM.saturating_sub(taken);
        let subject = encode(&self.subject);
        let project = shorten(encode(&self.project), room - subject.len().min(room / 2));
        let subject = shorten(subject, room - project.len());
        write!(f, "{project}-{subject}-{time}")?;
        self.label.iter().try_for_each(|label| write!(f, "-{label}"))
    }
}

/// Encodes a name for use in a file name.
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

/// Limits the length to `room` bytes. Truncated names differ in their digest.
fn shorten(encoded: String, room: usize) -> String {
    const DIGITS: usize = 8;
    if encoded.len() <= room {
        return encoded;
    }
    let digest = hex::sha256(&encoded);
    let mut end = room.saturating_sub(DIGITS + 1);
    // Do not split a `%XX`.
    while encoded[..end].bytes().rev().take(2).any(|byte| byte == b'%') {
        end -= 1;
    }
    format!("{}~{}", &encoded[..end], &digest[..DIGITS])
}

/// Whether a file name contains a time in our format, which marks it as ours regardless of its content.
pub(crate) fn has_time(name: &str) -> bool {
    let is_time = |part: &str| {
        let bytes = part.as_bytes();
        bytes.len() == TIME_LENGTH - 1
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                8 => *byte == b'T',
                15 => *byte == b'Z',
                _ => byte.is_ascii_digit(),
            })
    };
    name.split(['-', '.']).any(is_time)
}

/// An error unless the text is a valid label: a letter or digit, then up to 99 letters, digits, `.`, `_` and `-`.
pub(crate) fn check_label(label: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let good = label.len() <= LONGEST_LABEL
        && label.bytes().all(plain)
        && label.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if good && !["latest", BEFORE_RESTORE].contains(&label) {
        return Ok(());
    }
    Err(Error::new(Exit::Usage, format!("`{}` cannot be a backup's name", label.escape_debug())).with_hint(format!(
        "begin with a letter or digit; at most 100 letters, digits, dots, dashes and underscores; neither `latest` nor \
         `{BEFORE_RESTORE}`, which names what a restore replaced"
    )))
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
    fn b04_the_longest_names_fit_and_stay_apart() {
        let time: Timestamp = "2026-11-20T02:30:05Z".parse().unwrap();
        let stem = |project: &str, subject: &str, label: usize| {
            let label = Some("l".repeat(label)).filter(|label| !label.is_empty());
            Stem { project: project.into(), subject: subject.into(), time, label }.to_string()
        };
        let (elephants, long) = ("🐘".repeat(15), "p".repeat(200));
        for (project, subject, label) in [("shop", &*elephants, 100), (&long, &elephants, 100), (&long, "db", 0)] {
            let name = stem(project, subject, label);
            assert!(name.len() <= LONGEST_STEM && has_time(&name), "{name}");
            let whole = |part: &str| part.get(..2).is_some_and(|digits| u8::from_str_radix(digits, 16).is_ok());
            assert!(name.split('%').skip(1).all(whole), "{name}");
            assert_ne!(name, stem(project, &format!("{subject}x"), label));
        }
        assert!(!stem("shop", "database", 100).contains('~'));
        assert!(!has_time("shop-20261120-config") && !has_time("20261120T02305Z-x"));
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
