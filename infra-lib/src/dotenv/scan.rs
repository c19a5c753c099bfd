//! The grammar of Compose's `.env`, over a text that stays as it is.
//!
//! Everything accepted here has the same meaning to Compose. Rejected is what Compose rejects, and what it accepts
//! while silently losing part of a line: a second word after a closing quote, a key with a tab, a line without a key.

use std::ops::Range;

use zeroize::Zeroizing;

use super::interpolate::{self, InterpolateError};
use super::{Entry, Quoting, SyntaxCause, escape};
use crate::secret::Secret;

/// The byte offset of a syntax error, and its cause.
pub(super) type Stop = (usize, SyntaxCause);

/// Splits the text into its entries.
pub(super) fn scan(text: &str) -> Result<Vec<Entry>, Stop> {
    let mut scanner = Scanner { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 } };
    let mut entries = Vec::new();
    let mut counted = (0, 1);
    while scanner.next_statement() {
        let mut entry = scanner.entry()?;
        counted.1 += text[counted.0..entry.key_range.start].matches('\n').count();
        counted.0 = entry.key_range.start;
        entry.line = counted.1;
        entries.push(entry);
    }
    Ok(entries)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// Whether Compose treats the character as a space within a line.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{0b}' | '\u{0c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.at = self.text.len() - self.rest().trim_start_matches(skipped).len();
    }

    /// Skips blank lines and comments. Returns false at the end of the file.
    fn next_statement(&mut self) -> bool {
        loop {
            self.skip(char::is_whitespace);
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.skip(|c| c != '\n');
        }
    }

    fn entry(&mut self) -> Result<Entry, Stop> {
        let exported = self.export();
        let (key, separated) = self.key()?;
        let mut entry = Entry {
            key: self.text[key.clone()].to_owned(),
            line: 0,
            quoting: Quoting::Inherited,
            exported,
            value_range: self.at..self.at,
            key_range: key,
            template: Secret::new(""),
        };
        if !separated {
            entry.value_range = entry.key_range.end..entry.key_range.end;
            return Ok(entry);
        }
        self.skip(is_space);
        let quote = self.rest().bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
        let template = if let Some(quote) = quote {
            let opened = self.at;
            let inner = self.quoted(quote)?;
            entry.value_range = opened..self.at;
            self.after_quote()?;
            if quote == b'"' {
                entry.quoting = Quoting::Double;
                escape::expand(&inner)
            } else {
                entry.quoting = Quoting::Single;
                inner
            }
        } else {
            entry.quoting = Quoting::Plain;
            let value = self.plain();
            let template = Zeroizing::new(self.text[value.clone()].to_owned());
            // An empty value begins right after the separator, before the spaces that follow it.
            if !value.is_empty() {
                entry.value_range = value;
            }
            template
        };
        let start = entry.value_range.start;
        if template.contains('\0') {
            return Err((start, SyntaxCause::Nul));
        }
        if entry.quoting != Quoting::Single {
            interpolate::validate(&template).map_err(|error| (start, (&error).into()))?;
        }
        entry.template = Secret::new(template.as_str());
        Ok(entry)
    }

    fn export(&mut self) -> bool {
        let Some(after) = self.rest().strip_prefix("export") else {
            return false;
        };
        let found = after.starts_with(['\t', '\u{0c}', '\r', ' ', '\n']);
        if found {
            self.at += "export".len();
            self.skip(is_space);
        }
        found
    }

    /// The name, and whether a value follows; leaves the position behind the separator or the line's end.
    fn key(&mut self) -> Result<(Range<usize>, bool), Stop> {
        let start = self.at;
        let end = self.rest().find(['=', ':', '\n']).map_or(self.text.len(), |length| start + length);
        let raw = &self.text[start..end];
        let key = raw.trim_end_matches(is_space);
        let separated = self.text[end..].starts_with(['=', ':']);
        if let Some((offset, c)) = key.char_indices().find(|&(_, c)| !is_key_char(c)) {
            let cause = match c {
                _ if !separated => SyntaxCause::NoSeparator,
                c if c.is_whitespace() => SyntaxCause::SpaceInKey,
                _ => SyntaxCause::BadKeyCharacter,
            };
            return Err((start + offset, cause));
        }
        if key.is_empty() {
            return Err((start, SyntaxCause::EmptyKey));
        }
        if end == self.text.len() {
            // Compose takes a name that ends the file without a line end for a value without a name.
            return Err((end, SyntaxCause::NoSeparator));
        }
        self.at = end + 1;
        Ok((start..start + key.len(), separated))
    }

    fn plain(&mut self) -> Range<usize> {
        let start = self.at;
        let line = self.rest().split('\n').next().unwrap_or_default();
        let value = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
        self.at = (start + line.len() + 1).min(self.text.len());
        start..start + value.len()
    }

    /// The text between the quotes, with `\` kept before anything but the quote itself.
    fn quoted(&mut self, quote: u8) -> Result<Zeroizing<String>, Stop> {
        let opened = self.at;
        let bytes = self.text.as_bytes();
        let mut inner = Zeroizing::new(String::new());
        let mut copied = opened + 1;
        let mut at = opened + 1;
        while let Some(&byte) = bytes.get(at) {
            if byte == b'\\' && bytes.get(at + 1) == Some(&quote) {
                inner.push_str(&self.text[copied..at]);
                copied = at + 1;
                at += 2;
            } else if byte == b'\\' {
                at += 2;
            } else if byte == quote {
                inner.push_str(&self.text[copied..at]);
                self.at = at + 1;
                return Ok(inner);
            } else {
                at += 1;
            }
        }
        Err((opened, SyntaxCause::UnterminatedQuote))
    }

    fn after_quote(&mut self) -> Result<(), Stop> {
        self.skip(|c| c != '\n' && c.is_whitespace());
        match self.rest().chars().next() {
            None | Some('\n' | '#') => Ok(()),
            Some(_) => Err((self.at, SyntaxCause::TextAfterQuote)),
        }
    }
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')
}

impl From<&InterpolateError> for SyntaxCause {
    fn from(error: &InterpolateError) -> Self {
        match error {
            InterpolateError::TooDeep => Self::NestedTooDeep,
            InterpolateError::Invalid | InterpolateError::Required { .. } => Self::InvalidReference,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dotenv::{EnvFile, resolve};

    /// The keys and values as Compose prints them, `A=1;B=2`, or the place and the reason.
    fn read(text: &[u8]) -> String {
        let file = match EnvFile::parse("f", text) {
            Ok(file) => file,
            Err(error) => return error.to_string(),
        };
        let shell = |name: &str| (name == "SHELL_VAR").then(|| "shell".to_owned());
        let resolved = resolve(&[file], shell).unwrap();
        let pairs = resolved.variables().iter();
        pairs.map(|variable| format!("{}={}", variable.key, variable.value.expose())).collect::<Vec<_>>().join(";")
    }

    /// Each line was verified with Compose 2.26.
    #[test]
    fn e04_e05_compose_reads_the_same() {
        for (text, expected) in [
            ("V=abc\r\n", "V=abc"),
            ("\u{feff}V=abc\n", "V=abc"),
            ("V=\"a b\"\n", "V=a b"),
            ("V=a b\n", "V=a b"),
            ("V=a#b\n", "V=a#b"),
            ("V=a #b\n", "V=a"),
            ("V=a\t#b\n", "V=a\t#b"),
            ("V=a$b\n", "V=a"),
            ("V=a$$b\n", "V=a$b"),
            ("V='a$b'\n", "V=a$b"),
            ("V=a`id -u`b\n", "V=a`id -u`b"),
            ("V=a\\b\n", "V=a\\b"),
            ("V=a;b\n", "V=a;b"),
            ("export V=abc\n", "V=abc"),
            ("export\tV : abc\n", "V=abc"),
            ("V=1\nV=2\n", "V=2"),
            ("V=pa$sword#1\n", "V=pa#1"),
            ("V=pa\\$word\nword=x\n", "V=pa\\;word=x"),
            ("V=\n", "V="),
            ("V=", "V="),
            ("V=   \n", "V="),
            ("V=  a  \n", "V=a"),
            ("V= # c\n", "V=# c"),
            ("V=\"a\nb\" # c\nW=1\n", "V=a\nb;W=1"),
            ("V='a\\'b\\n'\n", "V=a'b\\n"),
            ("V='a\\\\'\n", "V=a\\\\"),
            ("V=\"a\\\"b\\n\\$c\"\n", "V=a\"b\n$c"),
            ("V=a\"b\"c\n", "V=a\"b\"c"),
            ("V=\"\"#c\n", "V="),
            ("  \n# V=0\n\t V=1\n#", "V=1"),
            ("A=1\nV=${A}${SHELL_VAR}\n", "A=1;V=1shell"),
            ("SHELL_VAR\nNONE\nV=1\n", "SHELL_VAR=shell;V=1"),
            ("V=a\u{a0}\n", "V=a"),
            ("v.a-b[0]=1\n", "v.a-b[0]=1"),
            ("V=a=b:c\n", "V=a=b:c"),
            ("", ""),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn e04_the_rest_is_refused_with_its_place() {
        for (text, expected) in [
            (&b"V=\"abc\n"[..], "f:1:3: the quote that opens here is never closed"),
            (b"A=1\nV='a\\'\n", "f:2:3: the quote that opens here is never closed"),
            (b"V=\xff\xfe\n", "f:1:3: the file is not UTF-8 here"),
            (b"V=a\0b\n", "f:1:4: a NUL byte cannot be part of an environment"),
            (b"V=\"\\0000\"\n", "f:1:3: a NUL byte cannot be part of an environment"),
            (b"A B=1\n", "f:1:2: a key cannot contain a space"),
            (b"A\tB=1\n", "f:1:2: a key cannot contain a space"),
            (b"export A B=1\n", "f:1:9: a key cannot contain a space"),
            ("\u{feff}\u{e9}=1\n".as_bytes(), "f:1:1: a key cannot contain this character"),
            (b"# c\n=1\n", "f:2:1: a key is missing here"),
            (b"export\nA=1\n", "f:1:7: a key is missing here"),
            (b"some words\n", "f:1:5: a `=` is missing in this line"),
            (b"A=1\nB", "f:2:2: a `=` is missing in this line"),
            (b"V=\"a\"b\n", "f:1:6: text follows the closing quote"),
            (b"V='a' W=1\n", "f:1:7: text follows the closing quote"),
            (b"A=1\nV=a${\n", "f:2:3: the value has a `${` that is not a valid reference"),
            (b"V=${A/b}\n", "f:1:3: the value has a `${` that is not a valid reference"),
        ] {
            assert_eq!(read(text), expected, "{}", text.escape_ascii());
        }
    }
}
