//! Commands that only print, wait, or check that an argument is there.

/// Whether a recipe line changes nothing: `echo a; sleep 2`, `test -n "$X" || { echo usage; exit 1; }`.
pub(super) fn is_output(text: &str) -> bool {
    let is_guard = ["test -n ", "test -z ", "[ -n ", "[ -z ", "if [ -z ", "if [ -n ", "if test -z ", "if test -n "]
        .iter()
        .any(|start| text.starts_with(start));
    let Some(commands) = commands(text) else { return false };
    commands.iter().all(|words| {
        let keywords = ["if", "then", "else", "fi", "!", "{", "}"];
        let mut words = words.iter().map(String::as_str).skip_while(|word| keywords.contains(word));
        match words.next() {
            None | Some("echo" | "printf" | ":" | "true" | "sleep") => true,
            Some("exit") => is_guard,
            Some("test" | "[") => is_guard && words.next().is_some_and(|option| ["-n", "-z"].contains(&option)),
            Some(_) => false,
        }
    })
}

/// The simple commands of a line, where nothing in it writes a file or runs a command for its output.
fn commands(text: &str) -> Option<Vec<Vec<String>>> {
    let text = without_harmless(text);
    let mut commands = vec![String::new()];
    for part in parts(&text, |char| ";&|()\n".contains(char))? {
        commands.push(part.to_owned());
    }
    let mut found = Vec::new();
    for command in &commands {
        let is_open = parts(command, |char| char == '<' || char == '>')?.len() > 1;
        if is_open || substitutes(command) {
            return None;
        }
        // What begins a comment ends the command.
        found.push(shlex::split(command.trim())?);
    }
    Some(found)
}

/// The text without redirections to the terminal or to nowhere, and without the time of day.
fn without_harmless(text: &str) -> String {
    const HARMLESS: [&str; 7] = [">/dev/null", "> /dev/null", "2>&1", ">&2", "1>&2", "$(date)", "$(pwd)"];
    HARMLESS.iter().fold(text.to_owned(), |text, harmless| text.replace(harmless, ""))
}

/// Whether a command is run for its output.
fn substitutes(text: &str) -> bool {
    let mut is_single = false;
    let mut is_double = false;
    let mut before = ' ';
    for char in text.chars() {
        match char {
            _ if before == '\\' && !is_single => {}
            '\'' if !is_double => is_single = !is_single,
            '"' if !is_single => is_double = !is_double,
            '`' if !is_single => return true,
            '(' if before == '$' && !is_single => return true,
            _ => {}
        }
        before = if before == '\\' && char == '\\' { ' ' } else { char };
    }
    false
}

/// The text cut at these characters where they are not quoted; `None` where a quote is never closed.
pub(super) fn parts(text: &str, is_end: impl Fn(char) -> bool) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut quote: Option<char> = None;
    let (mut start, mut is_escaped, mut depth) = (0, false, 0_usize);
    let mut before = ' ';
    for (at, char) in text.char_indices() {
        match (char, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', None | Some('"')) => is_escaped = true,
            ('(', None | Some('"')) if before == '$' || depth > 0 => depth += 1,
            (')', _) if depth > 0 => depth -= 1,
            ('\'' | '"', None) if depth == 0 => quote = Some(char),
            (char, Some(open)) if char == open && depth == 0 => quote = None,
            (char, None) if depth == 0 && is_end(char) => {
                parts.push(&text[start..at]);
                start = at + char.len_utf8();
            }
            _ => {}
        }
        before = char;
    }
    parts.push(&text[start..]);
    (quote.is_none() && depth == 0).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_prints_is_known() {
        for text in [
            "echo hello",
            "echo \"one; two && three\"",
            "echo a && echo b; sleep 2",
            "printf '%s\\n' \"$X\"",
            ":",
            "test -n \"$FILE\"",
            "test -n \"$FILE\" || { echo 'usage: FILE=x' >&2; exit 1; }",
            "[ -n \"${FILE}\" ] || (echo usage; exit 1)",
            "if [ -z \"${FILE}\" ]; then echo usage; exit 1; fi",
            "echo \"done at $(date)\"",
        ] {
            assert!(is_output(text), "{text}");
        }
        for text in [
            "echo x > file",
            "echo \"$(docker compose down)\"",
            "echo `rm x`",
            "echo y | docker compose rm",
            "echo a; rm b",
            "test \"$CONFIRM\" = yes || exit 1",
            "[ -f .env ] || cp .env.example .env",
            "exit 1",
            "echo \"a; rm b",
        ] {
            assert!(!is_output(text), "{text}");
        }
    }
}
