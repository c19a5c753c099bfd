//! An environment file: its bytes, and the position of each entry in them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use zeroize::Zeroizing;

use super::{DotenvError, SyntaxCause, scan::scan};
use crate::secret::Secret;

/// More than any environment file has: an environment cannot be larger than this on Linux either.
const LIMIT: u64 = 1 << 20;

/// A parsed `.env`, read exactly like Compose reads it.
///
/// It keeps the complete text, so that an edit only changes the value in question.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvFile {
    path: Utf8PathBuf,
    text: Zeroizing<String>,
    entries: Vec<Entry>,
    mode: Option<u32>,
}

/// One entry of an environment file. `Debug` never shows its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Entry {
    /// The name of the variable.
    pub(crate) key: String,
    /// The line number of the name, from 1.
    pub(crate) line: usize,
    /// The quoting of the value.
    pub(crate) quoting: Quoting,
    /// Whether the name is preceded by `export`.
    pub(crate) exported: bool,
    /// The byte range of the name in the file.
    pub(crate) key_range: Range<usize>,
    /// The byte range of the value in the file, including quotes, without a comment.
    pub(crate) value_range: Range<usize>,
    /// The value without quotes and escapes, before interpolation.
    pub(crate) template: Secret,
}

/// The quoting of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum Quoting {
    /// `KEY` without `=`: inherits the shell's value, if there is one.
    Inherited,
    /// An unquoted value: `KEY=value`.
    Plain,
    /// A literal value without interpolation: `KEY='value'`.
    Single,
    /// A double-quoted value: `KEY="value"`.
    Double,
}

impl EnvFile {
    /// Reads the file at `path`, following a symbolic link as Compose does.
    ///
    /// # Errors
    ///
    /// [`DotenvError`]: no file, not a regular file, larger than 1 MiB, unreadable, or anything of [`EnvFile::parse`].
    pub(crate) fn read(path: impl AsRef<Utf8Path>) -> Result<Self, DotenvError> {
        let path = path.as_ref();
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => DotenvError::NotFound { path: path.to_owned() },
            _ => DotenvError::Read { path: path.to_owned(), source },
        };
        // Without NONBLOCK, opening a pipe would wait for a writer.
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(nonblocking).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(DotenvError::NotAFile { path: path.to_owned() });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LIMIT {
            return Err(DotenvError::TooLarge { path: path.to_owned(), limit: LIMIT });
        }
        let mut parsed = Self::parse(path, &bytes)?;
        parsed.mode = Some(metadata.mode() & 0o7777);
        Ok(parsed)
    }

    /// Reads `bytes` as the content of the file at `path`, which is only named in errors and origins.
    ///
    /// # Errors
    ///
    /// [`DotenvError::Syntax`], with line and column, for what Compose refuses and for what readers of `.env` take
    /// so differently that something is lost: NUL, bytes that are not UTF-8, an open quote, a space in a key, no `=`.
    pub fn parse(path: impl Into<Utf8PathBuf>, bytes: &[u8]) -> Result<Self, DotenvError> {
        let path = path.into();
        let stopped = |(offset, cause)| {
            let (line, column) = position(bytes, offset);
            DotenvError::Syntax { path: path.clone(), line, column, cause }
        };
        let text = std::str::from_utf8(bytes).map_err(|error| stopped((error.valid_up_to(), SyntaxCause::NotUtf8)))?;
        if let Some(offset) = text.find('\0') {
            return Err(stopped((offset, SyntaxCause::Nul)));
        }
        let entries = scan(text).map_err(stopped)?;
        Ok(Self { path, text: Zeroizing::new(text.to_owned()), entries, mode: None })
    }

    /// The path of the file, as given.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The complete text. It contains secrets: write it to files only, never display it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The entries in the order of the file, duplicates included.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The effective entry for `key`: the last one.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }

    /// The keys that occur more than once, each with all its line numbers.
    pub(crate) fn duplicates(&self) -> Vec<(&str, Vec<usize>)> {
        let mut lines = BTreeMap::<&str, Vec<usize>>::new();
        for entry in &self.entries {
            lines.entry(&entry.key).or_default().push(entry.line);
        }
        lines.into_iter().filter(|(_, lines)| lines.len() > 1).collect()
    }

    /// The permission bits of the file when it was read; `None` if it was parsed from bytes.
    pub(crate) fn mode(&self) -> Option<u32> {
        self.mode
    }

    /// Whether the file begins with a byte order mark, which a shell treats as part of the first key.
    pub(crate) fn has_bom(&self) -> bool {
        self.text.starts_with('\u{feff}')
    }

    /// The first line with a Windows line end (CRLF). A shell keeps the carriage return in the value.
    pub(crate) fn first_crlf(&self) -> Option<usize> {
        self.text.find("\r\n").map(|offset| position(self.text.as_bytes(), offset).0)
    }

    /// The same content as a file at another path, which need not exist.
    #[must_use]
    pub(crate) fn at(&self, path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), mode: None, ..self.clone() }
    }

    pub(super) fn with_mode_of(mut self, other: &Self) -> Self {
        self.mode = other.mode;
        self
    }
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile").field("path", &self.path).field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Line and column, from 1, of an offset; the column counts characters, the byte order mark excepted.
fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = String::from_utf8_lossy(&bytes[..offset.min(bytes.len())]);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = 1 + line.trim_start_matches('\u{feff}').chars().count();
    (1 + before.matches('\n').count(), column)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::dotenv::SyntaxCause;

    #[test]
    fn entries_have_their_key_line_and_quoting() {
        let file = EnvFile::parse(".env", b"# ports\nPORT=8080 # the usual\nexport NAME: 'my app'\n").unwrap();
        assert_eq!(file.entries()[0].key, "PORT");
        assert_eq!(file.entries()[1].line, 3);
        assert_eq!(file.entries()[1].quoting, Quoting::Single);
    }

    #[test]
    fn errors_have_the_place_and_never_the_value() {
        assert!(matches!(EnvFile::read("no/such.env"), Err(DotenvError::NotFound { .. })));
        let error = EnvFile::parse(".env", b"NAME=a\nTWO WORDS=b\n").unwrap_err();
        assert_eq!(error.to_string(), ".env:2:4: a key cannot contain a space");
        let error = EnvFile::parse(".env", b"A=1\nB=\"hunter2\n").unwrap_err();
        assert_eq!(error.to_string(), ".env:2:3: the quote that opens here is never closed");
        assert!(!format!("{error:?}").contains("hunter2"));
        assert!(SyntaxCause::InvalidReference.hint().contains("$$"));
    }

    #[test]
    fn the_last_of_two_lines_wins_and_both_are_reported() {
        let file = EnvFile::parse(".env", b"A=1\nB=2\nA=3\n").unwrap();
        assert_eq!(file.entry("A").map(|entry| entry.line), Some(3));
        assert_eq!(file.duplicates(), [("A", vec![1, 3])]);
    }

    #[test]
    fn the_text_stays_as_it_is() {
        let file = EnvFile::parse(".env.example", b"A=1\nB = 2\r\n").unwrap();
        assert_eq!((file.text(), file.first_crlf()), ("A=1\nB = 2\r\n", Some(2)));
        let file = file.at(".env");
        assert_eq!((file.path().as_str(), file.text()), (".env", "A=1\nB = 2\r\n"));
    }
}
