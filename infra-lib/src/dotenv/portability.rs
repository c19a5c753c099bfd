//! Other programs that read a `.env`, and how they differ from Compose.
//!
//! They are bash (`. .env`), make (`include .env`), `docker run --env-file` and systemd (`EnvironmentFile=`). What is
//! said here errs on the side of speaking: a test holds bash and make to reading the same where nothing is said.

use super::{Entry, EnvFile, Quoting};

/// Another program that reads environment files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Bash,
    Make,
    Docker,
    Systemd,
}

/// A notation that another program reads differently.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguity {
    pub(super) readers: &'static [Reader],
    pub(super) message: &'static str,
    pub(super) fix: &'static str,
}

use Reader::{Bash, Docker, Make, Systemd};

const SAFE: &str = "use letters, digits, `_`, `-`, `.`, `/`, `:` and `@` only";

macro_rules! ambiguities {
    ($($name:ident: [$($reader:ident),*] $message:literal, $fix:expr;)*) => {$(
        const $name: Ambiguity = Ambiguity { readers: &[$($reader),*], message: $message, fix: $fix };
    )*};
}

ambiguities! {
    EXPORT: [Docker, Systemd] "has `export` before it, which docker --env-file and systemd refuse", "leave `export` out";
    COLON: [Bash, Make, Docker, Systemd] "is set with `:`, which bash, make, docker --env-file and systemd do not know", "write `=`";
    SPACED: [Bash, Docker] "has a space next to `=`: bash runs a command instead, docker --env-file keeps or \
        refuses the space", "leave the space out";
    NAME: [Bash] "is not a name that bash can set", "use letters, digits and `_` only, with no digit first";
    READ_ONLY: [Bash] "is a name that bash does not let anyone set", "choose another name";
    QUOTES: [Make, Docker] "is quoted, and make and docker --env-file keep the quotes", SAFE;
    INNER_QUOTE: [Bash, Systemd] "has a quote within, which bash and systemd drop", SAFE;
    SPACE: [Bash] "has a space without quotes: bash runs what follows it", "put the value in quotes";
    TRAILING: [Make, Docker] "has blanks behind it, which make and docker --env-file keep", "delete them";
    HASH: [Make] "has a `#`, where make ends the value", SAFE;
    FIRST_HASH: [Bash] "begins with a `#` after a space, which bash takes for a comment", "put the value in quotes";
    COMMENT: [Make, Docker, Systemd] "has a comment behind it: docker --env-file and systemd take it for a part of the \
        value, make keeps the space before it", "put the comment on a line of its own";
    GLUED: [Bash] "has a comment right behind the quotes, which bash takes for a part of the value",
        "put the comment on a line of its own";
    DOLLAR: [Make, Docker, Systemd] "has a `$`: docker --env-file and systemd keep it as it is, make reads one letter \
        after it", SAFE;
    DOLLAR_BASH: [Bash] "has a `$` that bash reads in its own way", SAFE;
    DOLLAR_SINGLE: [Make] "has a `$`, which make resolves in single quotes too", SAFE;
    BACKTICK: [Bash] "has a backtick: bash runs what follows it", "put the value in single quotes";
    BACKSLASH: [Bash, Systemd] "has a backslash, which bash and systemd take for an escape", "put the value in single quotes";
    BACKSLASH_END: [Bash, Make, Systemd] "ends with a backslash: bash, make and systemd go on with the next line",
        "put the value in single quotes";
    ESCAPE: [Bash, Systemd] "has an escape that bash and systemd do not know", "put the characters themselves in single quotes";
    ESCAPED_SINGLE: [Bash] "has `\\'` in single quotes, where bash ends the quotes", "put the value in double quotes";
    OPERATOR: [Bash] "has one of `;&|<>()` without quotes: bash ends the value there and runs the rest",
        "put the value in single quotes";
    TILDE: [Bash] "has a `~`, for which bash puts a home folder", "put the value in single quotes";
    LINES: [Make, Docker] "has several lines, and make and docker --env-file read each for itself",
        "keep it in a file of its own, and its path in the environment";
    BLANK: [Bash, Make, Docker, Systemd] "has an unusual blank beside it, which bash, make, docker \
        --env-file and systemd keep", "delete it";
}

/// Read-only variables of bash.
const READ_ONLY_NAMES: [&str; 6] = ["UID", "EUID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS"];

/// All notations in the entry that some reader reads differently.
pub(super) fn ambiguities(file: &EnvFile, entry: &Entry) -> Vec<&'static Ambiguity> {
    let text = file.text();
    let raw = &text[entry.value_range.clone()];
    let between = &text[entry.key_range.end..entry.value_range.start];
    let after = text[entry.value_range.end..].split('\n').next().unwrap_or_default();
    let mut found = name(entry);
    let mut note = |so: bool, ambiguity: &'static Ambiguity| {
        if so {
            found.push(ambiguity);
        }
    };
    note(entry.exported, &EXPORT);
    note(between.contains(':'), &COLON);
    note(between.len() > 1, &SPACED);
    note(raw.is_empty() && !after.trim().is_empty(), &SPACED);
    note(raw.contains('#'), &HASH);
    note(after.trim_start().starts_with('#'), &COMMENT);
    note(after.starts_with('#'), &GLUED);
    note(raw.contains('\n'), &LINES);
    note(!after.trim_end_matches('\r').is_empty() && after.trim().is_empty(), &TRAILING);
    let blank = |c: char| c.is_whitespace() && !matches!(c, ' ' | '\t' | '\r');
    note(after.split('#').next().is_some_and(|space| space.contains(blank)) || between.contains(blank), &BLANK);
    match entry.quoting {
        Quoting::Inherited => found.clear(),
        Quoting::Plain => found.extend(plain(raw, between)),
        Quoting::Double => found.extend(double(raw)),
        Quoting::Single => found.extend(single(raw)),
    }
    found
}

fn name(entry: &Entry) -> Vec<&'static Ambiguity> {
    let plain = entry.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || entry.key.starts_with(|c: char| c.is_ascii_digit()) {
        return vec![&NAME];
    }
    if READ_ONLY_NAMES.contains(&entry.key.as_str()) { vec![&READ_ONLY] } else { Vec::new() }
}

fn plain(raw: &str, between: &str) -> Vec<&'static Ambiguity> {
    let mut found = dollars(raw);
    let cases = [
        (raw.contains(char::is_whitespace), &SPACE),
        (raw.contains(['"', '\'']), &INNER_QUOTE),
        (raw.starts_with('#') && between.len() > 1, &FIRST_HASH),
        (raw.contains('`'), &BACKTICK),
        (raw.contains('\\'), &BACKSLASH),
        (raw.ends_with('\\'), &BACKSLASH_END),
        (raw.contains([';', '&', '|', '<', '>', '(', ')']), &OPERATOR),
        (raw.starts_with('~') || raw.contains(":~") || raw.contains("=~"), &TILDE),
    ];
    found.extend(cases.into_iter().filter(|(so, _)| *so).map(|(_, ambiguity)| ambiguity));
    found
}

fn double(raw: &str) -> Vec<&'static Ambiguity> {
    let mut found = dollars(raw);
    found.push(&QUOTES);
    let known = |at: usize| matches!(raw.as_bytes().get(at + 1), Some(b'"' | b'$' | b'\\'));
    let mut at = 0;
    while let Some(next) = raw[at..].find('\\') {
        at += next;
        if !known(at) {
            found.push(&ESCAPE);
            break;
        }
        at += 2;
    }
    if raw.contains('`') {
        found.push(&BACKTICK);
    }
    found
}

fn single(raw: &str) -> Vec<&'static Ambiguity> {
    let cases = [(true, &QUOTES), (raw.contains('$'), &DOLLAR_SINGLE), (raw.contains("\\'"), &ESCAPED_SINGLE)];
    cases.into_iter().filter(|(so, _)| *so).map(|(_, ambiguity)| ambiguity).collect()
}

fn dollars(raw: &str) -> Vec<&'static Ambiguity> {
    if !raw.contains('$') {
        return Vec::new();
    }
    let word = |text: &str| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        (end > 0 && !text.starts_with(|c: char| c.is_ascii_digit())).then_some(end)
    };
    let mut alike = raw.split('$').skip(1).map(|text| match text.strip_prefix('{') {
        Some(braced) => word(braced).is_some_and(|end| braced[end..].starts_with('}')),
        None => word(text).is_some(),
    });
    if alike.all(|alike| alike) { vec![&DOLLAR] } else { vec![&DOLLAR, &DOLLAR_BASH] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages are matched to readers by name.
    #[test]
    fn every_message_names_its_readers() {
        let text = "export K:=a\n\
            K.1=\"a\\n\" # c\nUID=1\nK= a b#c`$1\nK='\\'$'\nK= #\nK=a'b\\c;~\nK=~a\\\nK=\"\n\"\nK=a\u{a0}\nK= \nK='a' \nK='a'#\n";
        let file = EnvFile::parse("f", text.as_bytes()).unwrap();
        let found: Vec<_> = file.entries().iter().flat_map(|entry| ambiguities(&file, entry)).collect();
        let mut messages: Vec<_> = found.iter().map(|ambiguity| ambiguity.message).collect();
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), 25, "{messages:#?}");
        for ambiguity in found {
            for (reader, name) in [(Bash, "bash"), (Make, "make"), (Docker, "docker"), (Systemd, "systemd")] {
                assert_eq!(ambiguity.readers.contains(&reader), ambiguity.message.contains(name), "{ambiguity:?}");
            }
        }
    }
}
