//! Where SQL statements begin: enough of PostgreSQL's lexical rules (manual, 4.1) to skip strings, comments and quoted bodies.

/// The beginning of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Its first word, in capitals.
    pub(super) first: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// The statements of a text. A `BEGIN ATOMIC … END` body belongs to the statement around it.
fn statements(sql: &str) -> Vec<Start> {
    let bytes = sql.as_bytes();
    let mut starts: Vec<Start> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let (mut at, mut fresh, mut atomic) = (0, true, 0_usize);
    while at < bytes.len() {
        let rest = &sql[at..];
        at += match bytes[at] {
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => comment(rest),
            b'\'' => {
                let escapes =
                    words.last().is_some_and(|word| word == "E") && at > 0 && matches!(bytes[at - 1], b'e' | b'E');
                quoted(rest, b'\'', escapes)
            }
            b'"' => quoted(rest, b'"', false),
            b'$' => dollar(rest),
            b';' => {
                if atomic == 0 {
                    fresh = true;
                    words.clear();
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
                if fresh {
                    starts.push(Start { first: word.clone(), line: sql[..at].matches('\n').count() + 1 });
                    fresh = false;
                }
                words.push(word);
                length
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    starts
}

/// Words that begin or end a transaction; in a file that is applied inside of one they would commit half of it.
const CONTROL: [&str; 6] = ["BEGIN", "START", "COMMIT", "ROLLBACK", "ABORT", "END"];

/// The first statement that would end the transaction around it. Function bodies are not looked into: they cannot.
pub(super) fn transaction_control(sql: &str) -> Option<Start> {
    statements(sql).into_iter().find(|statement| CONTROL.contains(&statement.first.as_str()))
}

/// Comments nest. Returns where the text goes on: behind the one that closes the first.
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

/// `$tag$ … $tag$`, or a lone `$`, as in a parameter.
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
        statements(sql).into_iter().map(|start| start.first).collect()
    }

    #[test]
    fn d10_statements_are_found_behind_strings_comments_and_bodies() {
        let sql = "-- COMMIT;\n/* ; /* ROLLBACK; */ */ create table t (a text default ';COMMIT;');\n\
                   DO $$ BEGIN COMMIT; END $$;\nSELECT E'\\';COMMIT;', $tag$;END;$tag$, \"a;b\", $1; commit;";
        assert_eq!(firsts(sql), ["CREATE", "DO", "SELECT", "COMMIT"]);
        assert_eq!(statements(sql).last().unwrap().line, 4);
    }

    #[test]
    fn a_body_of_the_standard_belongs_to_its_function() {
        let sql =
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\nBEGIN;";
        assert_eq!(firsts(sql), ["CREATE", "BEGIN"]);
    }

    #[test]
    fn unfinished_and_odd_text_ends() {
        for sql in ["'", "/*", "$a$", "\"", "$", "E'\\", "é;ü", "/*é"] {
            let _ = statements(sql);
        }
        assert_eq!(firsts("select 'a' ; é"), ["SELECT"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(sql in ".*") {
            statements(&sql);
        }
    }
}
