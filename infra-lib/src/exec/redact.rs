//! Masking secrets in the output of other programs.

use std::sync::{Arc, Mutex, PoisonError};

use crate::secret::MASK;
use crate::secret::Secret;

/// Masking shorter values would mask ordinary words.
const SHORTEST: usize = 6;

/// The known secrets of a project, masked in text.
///
/// A server's error may contain a connection string, a container's log its environment. All output of children is
/// masked here before it is shown. Clones share one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor(Arc<Mutex<Vec<Secret>>>);

impl Redactor {
    /// Adds a secret in its possible forms: as it is, percent-encoded as in a URL, and each of its lines, since
    /// output is processed line by line.
    pub(crate) fn learn(&self, secret: &Secret) {
        let value = secret.expose();
        let lines = value.lines().filter(|_| value.contains('\n')).map(str::trim);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in std::iter::once(value).chain(lines).filter(|text| text.len() >= SHORTEST) {
            let encoded = percent_encode(text);
            let lower = encoded_in_lower_case(&encoded);
            for form in [Secret::new(text), Secret::new(encoded), Secret::new(lower)] {
                if !known.contains(&form) {
                    known.push(form);
                }
            }
        }
        // Longest values first, since one may contain another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// Masks the known secrets and all passwords in connection strings.
    pub(crate) fn clean(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text =
            known.iter().filter(|secret| text.contains(secret.expose())).fold(text.to_owned(), |text, secret| {
                if is_word(secret.expose()) {
                    mask_word(&text, secret.expose())
                } else {
                    text.replace(secret.expose(), MASK)
                }
            });
        mask_url_passwords(&text)
    }
}

/// Whether a value is like a word, which names of volumes and services can contain.
fn is_word(value: &str) -> bool {
    value.len() < 16 && value.chars().all(|c| c.is_ascii_lowercase())
}

/// Masks a word where it is not a part of a longer name.
fn mask_word(text: &str, word: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let in_name = before.ends_with(is_part) || at == 0 && out.ends_with(is_part) || after.starts_with(is_part);
        out.push_str(before);
        out.push_str(if in_name { word } else { MASK });
        rest = after;
    }
    out + rest
}

/// Percent-encodes text for a URL.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The same with `%2f` instead of `%2F`, as some programs write it.
fn encoded_in_lower_case(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        format!("{out}%{}{rest}", code.to_ascii_lowercase())
    })
}

/// `scheme://user:password@host` becomes `scheme://user:***@host`.
fn mask_url_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/?#'\"`<>".contains(c)).unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => {
                out.push_str(user);
                out.push(':');
                out.push_str(MASK);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s03_known_secrets_and_url_passwords_are_masked() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("p@ss/word"));
        assert_eq!(redactor.clean("bad p@ss/word, bad p%40ss%2Fword, p%40ss%2fword"), "bad ***, bad ***, ***");
        assert_eq!(
            redactor.clean("cannot reach postgres://u:secret@db:1/x now"),
            "cannot reach postgres://u:***@db:1/x now"
        );
        assert_eq!(redactor.clean("see https://example.com/a@b"), "see https://example.com/a@b");
    }

    #[test]
    fn s02_each_line_of_a_secret_is_one() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("-----BEGIN KEY-----\nfirst line\nx\n-----END KEY-----\n"));
        assert_eq!(redactor.clean("a first line, a x"), "a ***, a x");
    }

    #[test]
    fn a_short_value_does_not_mask_ordinary_words() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("db"));
        assert_eq!(redactor.clean("the db service"), "the db service");
    }
}
