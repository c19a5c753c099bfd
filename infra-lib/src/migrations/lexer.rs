//! Splits SQL into statements. It implements enough of PostgreSQL's lexical rules (manual, 4.1) to skip strings,
//! comments and quoted bodies, as psql does.

/// An SQL statement in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// The text from the first word up to the semicolon.
    pub(super) text: &'a str,
    /// The words in upper case, without quoted parts.
    pub(super) words: Vec<String>,
    /// The line of its first word, counted from 1.
    pub(super) line: usize,
    /// The byte offset of its first word.
    pub(super) at: usize,
}

impl Statement<'_> {
    /// Whether it begins with these words.
    pub(super) fn begins(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len() && self.words.iter().zip(words).all(|(word, wanted)| word == wanted)
    }

    /// Whether it contains the word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }
}

/// The statements of a text. A semicolon inside parentheses or a `BEGIN ATOMIC … END` body ends no statement.
pub(super) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let bytes = sql.as_bytes();
    let mut found: Vec<Statement<'_>> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut start: Option<(usize, usize)> = None;
    let (mut at, mut line, mut atomic, mut depth) = (0, 1, 0_usize, 0_usize);
    while at < bytes.len() {
        let rest = &sql[at..];
        let blank = bytes[at].is_ascii_whitespace();
        let comment_here = rest.starts_with("--") || rest.starts_with("/*");
        if start.is_none() && !blank && !comment_here && bytes[at] != b';' {
            start = Some((at, line));
        }
        let length = match bytes[at] {
            b'-' if comment_here => rest.find('\n').unwrap_or(rest.len()),
            b'/' if comment_here => comment(rest),
            b'\'' => {
                let escapes =
                    words.last().is_some_and(|word| word == "E") && at > 0 && matches!(bytes[at - 1], b'e' | b'E');
                quoted(rest, b'\'', escapes)
            }
            b'"' => quoted(rest, b'"', false),
            b'$' => dollar(rest),
            b'(' => {
                depth += 1;
                1
            }
            b')' => {
                depth = depth.saturating_sub(1);
                1
            }
            b';' if atomic == 0 && depth == 0 => {
                if let Some((from, line)) = start.take() {
                    found.push(Statement { text: &sql[from..at], words: std::mem::take(&mut words), line, at: from });
                }
                1
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
                let word = rest[..length].to_uppercase();
                match word.as_str() {
                    "ATOMIC" if words.last().is_some_and(|last| last == "BEGIN") => atomic = 1,
                    "CASE" if atomic > 0 => atomic += 1,
                    "END" if atomic > 0 => atomic -= 1,
                    _ => {}
                }
                words.push(word);
                length
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        line += rest[..length].matches('\n').count();
        at += length;
    }
    if let Some((from, line)) = start {
        found.push(Statement { text: &sql[from..], words, line, at: from });
    }
    found
}

/// The length of a comment, which may be nested.
fn comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &str, quote: u8, escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of `$tag$ … $tag$`, or of a lone `$` as in a parameter.
fn dollar(rest: &str) -> usize {
    let Some(end) = rest[1..].find('$').map(|end| end + 2) else { return 1 };
    let tag = &rest[..end];
    let inner = &tag[1..end - 1];
    let is_tag =
        inner.chars().all(|c| c.is_alphanumeric() || c == '_') && !inner.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return 1;
    }
    rest[end..].find(tag).map_or(rest.len(), |close| end + close + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firsts(sql: &str) -> Vec<String> {
        statements(sql).into_iter().map(|statement| statement.words.first().cloned().unwrap_or_default()).collect()
    }

    #[test]
    fn d10_statements_are_found_behind_strings_comments_and_bodies() {
        let sql = "-- COMMIT;\n/* ; /* ROLLBACK; */ */ create table t (a text default ';COMMIT;');\n\
                   DO $$ BEGIN COMMIT; END $$;\nSELECT E'\\';COMMIT;', $tag$;END;$tag$, \"a;b\", $1; commit;";
        assert_eq!(firsts(sql), ["CREATE", "DO", "SELECT", "COMMIT"]);
        let last = statements(sql).pop().unwrap();
        assert_eq!((last.line, last.text), (4, "commit"));
    }

    #[test]
    fn a_body_of_the_standard_and_a_rules_list_belong_to_what_is_around_them() {
        let sql =
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\nBEGIN;";
        assert_eq!(firsts(sql), ["CREATE", "BEGIN"]);
        let rule = "CREATE RULE r AS ON INSERT TO t DO (INSERT INTO u VALUES (1); SELECT 1);\n\n(SELECT 1) -- no end";
        assert_eq!(firsts(rule), ["CREATE", "SELECT"]);
        assert_eq!(statements(rule)[1].line, 3);
        assert_eq!(firsts("-- nothing\n ; /* here */"), [""; 0]);
    }

    #[test]
    fn unfinished_and_odd_text_ends() {
        for sql in ["'", "/*", "$a$", "\"", "$", "E'\\", "é;ü", "/*é", ")"] {
            let _ = statements(sql);
        }
        assert_eq!(firsts("select 'a' ; é"), ["SELECT", ""]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(sql in ".*") {
            statements(&sql);
        }
    }
}
