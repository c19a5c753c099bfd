//! Quoted values: unescaping them like Compose, and quoting values for Compose.

use zeroize::Zeroizing;

use super::Quoting;

/// Unescapes `\\ \" \$ \a \b \f \n \r \t \v \0NNN` like Compose does within double quotes.
///
/// A `\$` becomes `$$`, which the later interpolation turns into `$`. Invalid escapes are kept, except for a `\0`
/// with an invalid number, where Compose drops the zero.
pub(super) fn expand(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(next) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let mut length = next.len_utf8();
        match next {
            '0' => {
                length += rest[1..].bytes().take(3).take_while(u8::is_ascii_digit).count();
                octal(&rest[1..length], &mut out);
            }
            '$' => out.push_str("$$"),
            '\\' | '"' => out.push(next),
            'a' => out.push('\u{07}'),
            'b' => out.push('\u{08}'),
            'f' => out.push('\u{0c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{0b}'),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

fn octal(digits: &str, out: &mut String) {
    match u8::from_str_radix(digits, 8) {
        Ok(code) if digits.len() == 3 => out.push(char::from(code)),
        _ => {
            out.push('\\');
            out.push_str(digits);
        }
    }
}

/// Encodes `value` in the wanted quoting, or in the next one that can represent it.
pub(super) fn encode(value: &str, wanted: Quoting) -> Zeroizing<String> {
    let encoded = match wanted {
        Quoting::Double => None,
        Quoting::Single => single(value),
        Quoting::Plain | Quoting::Inherited => plain(value).or_else(|| single(value)),
    };
    encoded.unwrap_or_else(|| double(value))
}

fn plain(value: &str) -> Option<Zeroizing<String>> {
    let quoted = value.starts_with(['"', '\'', '#']);
    let cut = value.trim() != value || value.contains(" #");
    let read = value.contains(['$', '\n', '\r', '`', '\\']);
    (!quoted && !cut && !read).then(|| Zeroizing::new(value.to_owned()))
}

/// Single quotes hold anything but an odd number of backslashes before a quote or the end.
fn single(value: &str) -> Option<Zeroizing<String>> {
    let mut out = Zeroizing::new(String::with_capacity(value.len() + 2));
    let mut backslashes = 0_usize;
    out.push('\'');
    for c in value.chars() {
        if c == '\'' {
            if !backslashes.is_multiple_of(2) {
                return None;
            }
            out.push('\\');
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    out.push('\'');
    backslashes.is_multiple_of(2).then_some(out)
}

fn double(value: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(value.len() + 2));
    out.push('"');
    for c in value.chars() {
        if matches!(c, '\\' | '"' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_compose() {
        for (text, read) in [
            (r"a\nb", "a\nb"),
            (r"\a\b\f\r\t\v", "\u{07}\u{08}\u{0c}\r\t\u{0b}"),
            (r#"\\ \""#, "\\ \""),
            (r"\$x", "$$x"),
            (r"\c \x \u0041 \é", r"\c \x \u0041 \é"),
            (r"\0123", "S"),
            (r"\01234", "S4"),
            (r"\0377", "ÿ"),
            (r"\0 \012 \0777 \0128", r"\ \12 \777 \128"),
            (r"\\n", r"\n"),
            ("end\\", "end\\"),
        ] {
            assert_eq!(&*expand(text), read, "{text}");
        }
    }

    #[test]
    fn the_style_is_kept_where_it_can_hold_the_value() {
        for (value, wanted, written) in [
            ("abc", Quoting::Plain, "abc"),
            ("a b", Quoting::Plain, "a b"),
            ("a#b", Quoting::Plain, "a#b"),
            ("a #b", Quoting::Plain, "'a #b'"),
            (" a", Quoting::Plain, "' a'"),
            ("a$b", Quoting::Plain, "'a$b'"),
            ("it's $5", Quoting::Plain, r"'it\'s $5'"),
            ("end\\", Quoting::Plain, r#""end\\""#),
            ("end\\\\", Quoting::Plain, r"'end\\'"),
            (r"a\'b", Quoting::Single, r#""a\\'b""#),
            ("a$b\"", Quoting::Double, r#""a\$b\"""#),
            ("", Quoting::Plain, ""),
            ("", Quoting::Double, "\"\""),
        ] {
            assert_eq!(&*encode(value, wanted), written, "{value} {wanted:?}");
        }
    }
}
