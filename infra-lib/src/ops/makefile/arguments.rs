//! Variables that the Makefile does not assign: `make restore FILE=x`, or a value from an included env file.
//!
//! While a recipe is read, such a variable is a mark in the text. In a task it becomes a variable of the shell.

use std::collections::BTreeSet;

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// The mark of a variable.
pub(super) fn mark(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Whether a text of the Makefile could be taken for a mark.
pub(super) fn looks_marked(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// Whether a shell can have a variable of this name, which make does not set itself.
pub(super) fn is_argument(name: &str) -> bool {
    let is_own = name.starts_with("MAKE") || ["VPATH", "SUFFIXES", "LIBPATTERNS", "GPATH"].contains(&name);
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    !is_own && is_name && name.len() > 1 && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The variables that a text refers to.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    text.split(OPEN).skip(1).filter_map(|rest| rest.split(CLOSE).next()).map(str::to_owned).collect()
}

/// The variable that this word is, and nothing else.
pub(super) fn whole(word: &str) -> Option<&str> {
    let name = word.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    (!looks_marked(name)).then_some(name)
}

/// The text for a shell, whatever quotes a mark is in.
pub(super) fn for_shell(text: &str) -> String {
    let mut made = String::new();
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (OPEN, Some('\'')) => made.push_str("'\"${"),
            (OPEN, _) => made.push_str("${"),
            (CLOSE, Some('\'')) => made.push_str("}\"'"),
            (CLOSE, _) => made.push('}'),
            ('\\', None | Some('"')) => {
                made.push(char);
                made.extend(chars.next());
            }
            ('\'' | '"', None) => {
                quote = Some(char);
                made.push(char);
            }
            (char, open) => {
                if open == Some(char) {
                    quote = None;
                }
                made.push(char);
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_variable_in_every_kind_of_quotes() {
        let text = format!("a {0} \"b {0}\" 'c {0}' d\\' {0}", mark("X"));
        assert_eq!(for_shell(&text), "a ${X} \"b ${X}\" 'c '\"${X}\"'' d\\' ${X}");
        assert_eq!(names(&text).len(), 1);
        assert_eq!(whole(&mark("X")), Some("X"));
        assert_eq!(whole(&format!("{}y", mark("X"))), None);
    }
}
