//! Placeholders and well-known secrets.

/// Placeholders that templates use for any key.
const MARKERS: &str = "changeme change_me change-me change_this change-this changethis change_in_production \
    change-in-production replace_me replace-me replace_with replace-with placeholder fill_in";

/// Words that a random secret does not contain.
const GIVEAWAYS: &str = "password passwd passphrase secret example qwerty letmein";

/// A secret made only of these words is a placeholder.
const WORDS: &str = "a admin app aws bar baz chars db database default demo dev development dummy foo guest here in \
    jwt key local long minio my mysql pass postgres postgresql prod production pw random redis root s sample secure \
    session staging string strong super test testing the token user value";

/// Whether the value, under any key, is one that a template leaves to be filled in: `change_me`, `your-domain.com`,
/// `<api key>`, `xxx`, `TODO`.
pub(crate) fn is_marker(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    let enclosed = |open: char, close: char| lower.len() > 2 && lower.starts_with(open) && lower.ends_with(close);
    let whole = matches!(lower.as_str(), "todo" | "fixme" | "tbd") || lower.starts_with("todo:");
    whole
        || enclosed('<', '>')
        || lower.starts_with("{{") && lower.ends_with("}}")
        || lower.len() >= 3 && lower.bytes().all(|byte| byte == b'x')
        || MARKERS.split_whitespace().any(|marker| lower.contains(marker))
        || your(&lower)
}

/// `your-…` or `your_…` at the beginning of a word.
fn your(lower: &str) -> bool {
    lower.match_indices("your").any(|(at, found)| {
        let before = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        before && lower[at + found.len()..].starts_with(['-', '_', ' '])
    })
}

/// Whether the value, as a secret, is a placeholder from a template or a tutorial.
pub(crate) fn is_placeholder(value: &str) -> bool {
    if is_marker(value) {
        return true;
    }
    let lower = value.trim().to_ascii_lowercase();
    let plain: String = lower.chars().map(unleet).collect();
    if GIVEAWAYS.split_whitespace().any(|word| lower.contains(word) || plain.contains(word)) {
        return true;
    }
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    let mut runs = lower.split(|c: char| !c.is_alphabetic()).filter(|run| !run.is_empty()).peekable();
    match runs.peek() {
        None => digits > 0 && counts_up(&lower),
        Some(_) => digits <= 4 && runs.all(is_words),
    }
}

fn unleet(c: char) -> char {
    match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '3' => 'e',
        '1' => 'i',
        '$' | '5' => 's',
        other => other,
    }
}

/// Digits in order, or one digit over and over.
fn counts_up(digits: &str) -> bool {
    let steps: Vec<i16> = digits.as_bytes().windows(2).map(|two| i16::from(two[1]) - i16::from(two[0])).collect();
    steps.iter().all(|&step| step == 0) || steps.iter().all(|&step| step == 1 || step == -9)
}

/// Whether the text consists only of words in the list.
fn is_words(run: &str) -> bool {
    let mut reached = vec![false; run.len() + 1];
    reached[0] = true;
    for at in 0..run.len() {
        if reached[at] {
            for word in WORDS.split_whitespace().filter(|word| run.as_bytes()[at..].starts_with(word.as_bytes())) {
                reached[at + word.len()] = true;
            }
        }
    }
    reached[run.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_everybody_has() {
        let values = "change_me CHANGE_ME_NOW changeme123 change_this_password_in_production your-secret-key \
            your_api_key YOUR-TOKEN password Password1! P@ssw0rd secret xxx XXXXXXXX example AKIAIOSFODNN7EXAMPLE \
            postgres admin admin123 root TODO <secure-password> {{jwt}} minioadmin minio123 dev test_key my-app-token \
            super-strong-key shop_password acme_dev_password_2024 123456 1234567890 00000000 s3cr3t s3_key \
            replace_with_real postgres:postgres dev-jwt-tokens";
        for value in values.split_whitespace().chain(["todo: set", "<32+ character string>"]) {
            assert!(is_placeholder(value), "{value}");
        }
        let values = "k3Vt0Zq9_xW2LmB7yRfA 9f86d081884c7d65 7391046285 hunter2 \u{e9} Zm9vYmFyYmF6cXV4 tr0ub4dor";
        for value in values.split_whitespace().chain(["", "correct horse battery staple"]) {
            assert!(!is_placeholder(value), "{value}");
        }
        assert!(is_marker("https://your-domain.com/api") && !is_marker("https://ofyour-domain.com"));
        assert!(!is_marker("admin") && !is_marker("password") && !is_marker("xx"));
    }

    #[test]
    fn markers_and_placeholders_are_no_values() {
        assert!(is_marker("https://your-domain.com") && is_marker("<secure-password>") && !is_marker("postgres"));
        assert!(["change_me", "postgres", "dev_password", "p@ssw0rd1", "12345678"].into_iter().all(is_placeholder));
        assert!(!is_placeholder("k3Vt0Zq9_xW2LmB7yRfA"));
    }
}
