//! Logical lines: what make sees once continued lines are one.

/// A logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its first physical line, from 1.
    pub(super) number: usize,
    /// Its text. A continuation inside a recipe stays what it is, since the shell is to see it.
    pub(super) text: String,
    /// Whether it begins with the recipe prefix, which is then not part of the text.
    pub(super) is_recipe: bool,
}

/// The lines of a file, from first to last. The recipe prefix may change on the way.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    rest: std::iter::Enumerate<std::str::Lines<'a>>,
    /// What a recipe's line begins with; a tab, unless `.RECIPEPREFIX` says otherwise.
    pub(super) prefix: char,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // `lines` takes the CR of a CRLF away too.
        Self { rest: text.trim_start_matches('\u{feff}').lines().enumerate(), prefix: '\t' }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let (at, first) = self.rest.next()?;
        let first = first.trim_end_matches('\r');
        let recipe = first.strip_prefix(self.prefix);
        let mut text = recipe.unwrap_or(first).to_owned();
        while is_continued(&text) {
            let Some((_, next)) = self.rest.next() else { break };
            let next = next.trim_end_matches('\r');
            if recipe.is_some() {
                text.push('\n');
                text.push_str(next.strip_prefix(self.prefix).unwrap_or(next));
            } else {
                text.pop();
                text.truncate(text.trim_end().len());
                text.push(' ');
                text.push_str(next.trim_start());
            }
        }
        Some(Line { number: at + 1, text, is_recipe: recipe.is_some() })
    }
}

/// An odd number of backslashes at the end; an even one is backslashes that are meant.
fn is_continued(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// The text before a comment, and the comment behind its `#`.
pub(super) fn without_comment(text: &str) -> (&str, Option<&str>) {
    let bytes = text.as_bytes();
    let is_comment = |at: &usize| bytes[*at] == b'#' && (*at == 0 || bytes[*at - 1] != b'\\');
    match (0..bytes.len()).find(is_comment) {
        Some(at) => (text[..at].trim_end(), Some(&text[at + 1..])),
        None => (text.trim_end(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String, bool)> {
        Lines::new(text).map(|line| (line.number, line.text, line.is_recipe)).collect()
    }

    #[test]
    fn continued_lines_are_one_and_a_recipe_keeps_its_own() {
        let lines = texts("A = b \\\n   c\r\nx:\n\techo a \\\n\t  b\nend\\\\\nlast \\");
        let line = |number, text: &str, recipe| (number, text.to_owned(), recipe);
        let expected = [
            line(1, "A = b c", false),
            line(3, "x:", false),
            line(4, "echo a \\\n  b", true),
            line(6, "end\\\\", false),
            line(7, "last \\", false),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn comments_begin_at_a_bare_hash() {
        assert_eq!(without_comment("a: b ## what it does"), ("a: b", Some("# what it does")));
        assert_eq!(without_comment(r"A = \#b"), (r"A = \#b", None));
    }
}
