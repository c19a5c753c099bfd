//! Feeds SQL to psql safely.
//!
//! psql executes meta-commands in its input, and some of them start programs. Under `\restrict`, which ends only with
//! a secret word, it refuses them. A dump written by `pg_dump` has such lines at its beginning and end, but with a
//! word that is visible in the file; so these two lines are replaced by ours.

use std::io::{self, BufRead, Read, Write};

/// Where the file's own line must be: after its initial comments.
const HEAD: usize = 64 * 1024;
/// How much is held back, since it may contain the file's last line.
const TAIL: usize = 4096;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Feeds `text` to psql, which then accepts only SQL. `word` is a secret.
pub(super) fn feed(text: impl Read, to: &mut impl Write, word: &str) -> io::Result<()> {
    let mut text = io::BufReader::with_capacity(HEAD, text);
    writeln!(to, "\\restrict {word}")?;
    let own = head(&mut text, to)?;
    let mut held = Vec::new();
    loop {
        let chunk = text.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let count = chunk.len();
        held.extend_from_slice(chunk);
        text.consume(count);
        let sure = held.len().saturating_sub(TAIL);
        to.write_all(&held[..sure])?;
        held.drain(..sure);
    }
    to.write_all(without_last(&held, own.as_deref()))?;
    to.flush()
}

/// Passes comments and empty lines on and drops a `\restrict` after them. Returns its word.
fn head(text: &mut impl BufRead, to: &mut impl Write) -> io::Result<Option<Vec<u8>>> {
    let mut first = true;
    loop {
        let mut line = Vec::new();
        text.by_ref().take(HEAD as u64).read_until(b'\n', &mut line)?;
        let words = if first { line.strip_prefix(BOM).unwrap_or(&line) } else { &line };
        first = false;
        if let Some(word) = words.strip_prefix(b"\\restrict ") {
            return Ok(Some(word.trim_ascii().to_vec()));
        }
        to.write_all(words)?;
        if line.is_empty() || !(words.starts_with(b"--") || words.trim_ascii().is_empty()) {
            return Ok(None);
        }
    }
}

/// The end of the file, without an `\unrestrict` of this word in its last line.
fn without_last<'t>(tail: &'t [u8], word: Option<&[u8]>) -> &'t [u8] {
    let Some(word) = word else { return tail };
    let end = tail.trim_ascii_end();
    let line = memchr::memrchr(b'\n', end).map_or(0, |at| at + 1);
    match end[line..].strip_prefix(b"\\unrestrict ") {
        Some(last) if last.trim_ascii() == word => &tail[..line],
        _ => tail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(text: &[u8]) -> String {
        let mut out = Vec::new();
        feed(text, &mut out, "ours").unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn c15_the_files_own_lines_make_way_for_ours() {
        let body = "SELECT 1;\n".repeat(5000);
        let file = format!("--\n-- dump\n\n\\restrict theirs\n{body}--\n\n\\unrestrict theirs\n\n");
        assert_eq!(fed(file.as_bytes()), format!("\\restrict ours\n--\n-- dump\n\n{body}--\n\n"));
        let older = format!("\u{feff}--\n{body}");
        assert_eq!(fed(older.as_bytes()), format!("\\restrict ours\n--\n{body}"));
        assert_eq!(fed(b""), "\\restrict ours\n");
    }

    #[test]
    fn c14_what_would_end_it_elsewhere_stays_for_psql_to_refuse() {
        for file in [
            "SELECT 1;\n\\restrict a\n\\unrestrict a\n",
            "\\restrict a\n\\unrestrict b\n",
            "\\unrestrict a\n",
            "\\restrict a\n\\unrestrict a\n\\! ls\n",
        ] {
            assert!(fed(file.as_bytes()).contains("\\unrestrict"), "{file}");
        }
    }
}
