//! Reads a volume: first a summary of its content, then all files as a tar archive.

use std::io;

use crate::backup::{BackupError, StatLines, Tally};
use crate::hex;
use crate::postgres::Trailer;
use crate::project::error::Result;

use super::Keeper;
use super::helper_container::Access;

/// Prints the summary and then, unless `$2` is empty, the archive and the word that marks it as complete. `$0` is the
/// output file, `$1` the separator of the parts. GNU tar exits with 1 if files changed in the meantime, and reports
/// which; other tar programs fail.
const READ: &str = r#"
for tool in tar find stat; do command -v "$tool" >/dev/null || exit 127; done
[ "$0" = - ] || exec >"$0"
for left in .infra-restore-*; do [ -d "$left" ] && echo left; done
find . -mindepth 1 -exec stat -c '%f %s %h %i %u %g' {} + 2>/dev/null
stat -c 'root %f %u %g' . || exit 1
echo "$1"
[ -n "$2" ] || exit 0
case "$(tar --version 2>/dev/null)" in
*GNU*)
  tar --format=posix --pax-option=delete=atime,delete=ctime --numeric-owner --xattrs '--xattrs-include=*' -cf - .
  ended=$?
  [ "$ended" = 1 ] && ended=0
  ;;
*)
  tar --numeric-owner -cf - .
  ended=$?
  ;;
esac
[ "$ended" = 0 ] || exit 1
printf %s "$2"
"#;

/// Messages of GNU tar about files that changed while it read them, or that cannot be archived.
const REMARKS: [&str; 7] = [
    "file changed as we read it",
    "File removed before we read it",
    "File shrank by",
    "socket ignored",
    "implausibly old time stamp",
    "in the future",
    "file is unchanged",
];
/// Maximum number of messages that are reported.
const TOLD: usize = 20;

/// A summary of a volume's content.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    lines: StatLines,
    /// Whether an interrupted restore left files in it.
    pub(super) is_unfinished: bool,
}

impl Numbers {
    pub(super) fn tally(&self) -> &Tally {
        self.lines.tally()
    }

    /// The number of sockets and devices, which no archive contains.
    pub(super) fn others(&self) -> u64 {
        self.lines.others
    }

    fn line(&mut self, line: &str) -> Option<()> {
        match line {
            "left" => self.is_unfinished = true,
            line if line.starts_with("root ") => {}
            line => self.lines.line(line)?,
        }
        Some(())
    }
}

/// Reads the summary of a volume's current content.
pub(super) fn numbers(keeper: &mut Keeper<'_>) -> Result<Numbers> {
    read(keeper, None, |_| Ok(())).map(|(numbers, _)| numbers)
}

/// Passes the volume's archive on. Returns the summary from before, and the messages reported in the meantime.
pub(super) fn archive(
    keeper: &mut Keeper<'_>,
    near: &camino::Utf8Path,
    on_data: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(Numbers, Vec<String>)> {
    let (numbers, said) = read(keeper, Some(near), on_data)?;
    let mut remarks = Vec::new();
    for line in said.lines().map(|line| line.trim_start_matches("tar: ")).filter(|line| !line.is_empty()) {
        if !REMARKS.iter().any(|known| line.contains(known)) {
            return Err(BackupError::Incomplete { reason: format!("tar says: {line}") }.into());
        }
        if remarks.len() < TOLD {
            remarks.push(line.to_owned());
        }
    }
    Ok((numbers, remarks))
}

fn read(
    keeper: &mut Keeper<'_>,
    near: Option<&camino::Utf8Path>,
    mut on_data: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(Numbers, String)> {
    let separator = hex::random_digits(32)?;
    let mut trailer = Trailer::new()?;
    let word = if near.is_some() { trailer.word().to_owned() } else { String::new() };
    let mut parts = Parts::new(&separator);
    let said = keeper.run(Access::Read, READ, &[&separator, &word], near, |chunk| {
        parts.take(chunk, |data| trailer.pass(data, &mut on_data))
    })?;
    let incomplete = |reason: &str| BackupError::Incomplete { reason: reason.to_owned() };
    if !parts.is_past {
        return Err(incomplete("the list of the volume's files is cut off").into());
    }
    if near.is_some() && !trailer.arrived() {
        return Err(incomplete("the archive is cut off").into());
    }
    Ok((parts.numbers, said))
}

/// Splits the stream into lines, up to a separator line, and data.
pub(super) struct Parts {
    separator: String,
    line: Vec<u8>,
    pub(super) numbers: Numbers,
    pub(super) is_past: bool,
}

impl Parts {
    pub(super) fn new(separator: &str) -> Self {
        Self { separator: separator.to_owned(), line: Vec::new(), numbers: Numbers::default(), is_past: false }
    }

    pub(super) fn take(&mut self, chunk: &[u8], on_data: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut rest = chunk;
        while !self.is_past {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.line.extend_from_slice(rest);
                return Ok(());
            };
            self.line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let line = String::from_utf8_lossy(&self.line);
            if line == self.separator {
                self.is_past = true;
            } else if self.numbers.line(&line).is_none() {
                return Err(io::Error::other(format!("the list of the volume's files has the line `{line:.100}`")));
            }
            self.line.clear();
        }
        on_data(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_data_are_told_apart_wherever_they_are_cut() {
        let stream = b"left\n81a4 5 1 7 0 0\nroot 41ed 0 0\nend\ndata\nend\n";
        for step in 1..stream.len() {
            let mut parts = Parts::new("end");
            let mut data = Vec::new();
            for chunk in stream.chunks(step) {
                parts
                    .take(chunk, |bytes| {
                        data.extend_from_slice(bytes);
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(
                (data.as_slice(), parts.numbers.tally().files, parts.numbers.is_unfinished),
                (&b"data\nend\n"[..], 1, true)
            );
        }
        assert!(Parts::new("end").take(b"rubbish\n", |_| Ok(())).is_err());
    }
}
