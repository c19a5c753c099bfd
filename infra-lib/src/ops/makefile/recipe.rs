//! What the lines of a recipe run.

use super::arguments;
use super::output::is_output;
use super::rules::{Makefile, Target};
use super::variables::{Met, Scope};

/// A command of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// As the shell would get it; a variable that is not assigned is a mark.
    pub(super) text: String,
    /// Its words, where no shell is needed to split them.
    pub(super) words: Option<Vec<String>>,
    /// `-`: a failure does not matter.
    pub(super) may_fail: bool,
    /// It only prints or waits.
    pub(super) is_output: bool,
    /// Targets that it passes to another make of the same Makefile.
    pub(super) makes: Vec<String>,
}

/// The steps of a target, or the line that cannot be read and why.
pub(super) fn steps(makefile: &Makefile, target: &Target, met: &mut Met) -> Result<Vec<Step>, (usize, String)> {
    let scope = Scope { global: &makefile.variables, own: &target.own, target: &target.name, needs: &target.needs };
    met.marks_arguments = true;
    let mut steps = Vec::new();
    for line in &target.recipe {
        let (raw, may_fail) = prefixes(&line.text);
        if let Some(makes) = makes(raw).filter(|_| !may_fail && !makefile.one_shell) {
            steps.push(Step { text: raw.to_owned(), words: None, may_fail, is_output: false, makes });
            continue;
        }
        if arguments::looks_marked(raw) {
            return Err((line.number, "it has control characters".to_owned()));
        }
        let text = scope.expand(&line.text, met).map_err(|why| (line.number, why))?;
        let (text, may_fail) = prefixes(&text);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err((line.number, "it is not UTF-8".to_owned()));
        }
        if let Some(name) = stated_secret(text) {
            return Err((line.number, format!("it contains `{name}`, a secret, which belongs in an env file")));
        }
        let (words, is_output) = (plain(text), is_output(text));
        steps.push(Step { text: text.to_owned(), words, may_fail, is_output, makes: Vec::new() });
    }
    if makefile.one_shell && steps.len() > 1 {
        steps = vec![as_one(&steps)];
    }
    Ok(steps)
}

/// The steps of `.ONESHELL` are one script. Make takes the prefix of its first line alone.
fn as_one(steps: &[Step]) -> Step {
    let may_fail = steps.first().is_some_and(|step| step.may_fail);
    let text = steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join("\n");
    Step { text, words: None, may_fail, is_output: steps.iter().all(|step| step.is_output), makes: Vec::new() }
}

/// The line without `@`, `-` and `+`, and whether there was a `-`.
fn prefixes(text: &str) -> (&str, bool) {
    let bare = text.trim_start_matches(['@', '-', '+', ' ', '\t']);
    let before = &text[..text.len() - bare.len()];
    (bare.trim_end(), before.contains('-'))
}

/// `$(MAKE) lint test`, which is another way to say what comes first.
fn makes(text: &str) -> Option<Vec<String>> {
    let rest = ["$(MAKE) ", "${MAKE} ", "make "].iter().find_map(|start| text.strip_prefix(start))?;
    let words: Vec<&str> =
        rest.split_whitespace().filter(|word| !["-s", "--silent", "--no-print-directory"].contains(word)).collect();
    let is_name = |word: &&str| {
        word.chars().all(|char| char.is_ascii_alphanumeric() || "._-".contains(char)) && !word.starts_with('-')
    };
    (!words.is_empty() && words.iter().all(is_name)).then(|| words.iter().map(|word| (*word).to_owned()).collect())
}

/// What only a shell understands.
const KEYWORDS: [&str; 24] = [
    "cd", "if", "for", "while", "until", "case", "export", "set", "source", ".", "exit", "read", "trap", "eval",
    "exec", "ulimit", "umask", "unset", "local", "alias", "command", "type", "then", "wait",
];

/// The words of a command that means the same without a shell.
pub(super) fn plain(text: &str) -> Option<Vec<String>> {
    let mut quote: Option<char> = None;
    let mut at_word = true;
    for char in text.chars() {
        let needs_shell = match quote {
            Some('"') => "$`\\!\n".contains(char),
            Some(_) => char == '\n',
            None if at_word && "#~".contains(char) => true,
            None => "|&;<>()$`\\*?[]{}!\n".contains(char),
        };
        if needs_shell {
            return None;
        }
        match quote {
            Some(open) if open == char => quote = None,
            None if "'\"".contains(char) => quote = Some(char),
            _ => {}
        }
        at_word = quote.is_none() && char.is_whitespace();
    }
    let words = shlex::split(text)?;
    let first = words.first()?;
    (!KEYWORDS.contains(&first.as_str()) && !first.contains('=') && !first.is_empty()).then_some(words)
}

/// The name of a secret whose value is in a command.
fn stated_secret(text: &str) -> Option<String> {
    let mut words = text.split(|char: char| char.is_whitespace() || "\"'".contains(char)).peekable();
    while let Some(word) = words.next() {
        let option = word
            .strip_prefix("--")
            .filter(|name| !name.contains('=') && !name.ends_with("-stdin") && crate::dotenv::looks_secret(name));
        if let (Some(name), Some(next)) = (option, words.peek())
            && !next.is_empty()
            && !next.starts_with(['-', '$', '\u{1}'])
        {
            return Some(name.to_owned());
        }
        if let Some((name, value)) = word.split_once('=') {
            let name = name.trim_start_matches('-');
            let is_literal = !value.is_empty() && !value.starts_with(['$', '\u{1}']);
            if is_literal && crate::dotenv::looks_secret(name) {
                return Some(name.to_owned());
            }
        }
        if crate::dotenv::url_password(word).is_some_and(|at| !word[at].starts_with(['$', '\u{1}'])) {
            return Some("the password of a URL".to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_command_needs_no_shell() {
        let words = |text: &str| plain(text).map(|words| words.join("|"));
        assert_eq!(
            words("docker compose exec db psql -c 'select 1; select 2'").unwrap(),
            "docker|compose|exec|db|psql|-c|select 1; select 2"
        );
        assert_eq!(words("go test ./... -run \"a b\" x#y").unwrap(), "go|test|./...|-run|a b|x#y");
        for text in [
            "a && b",
            "a | b",
            "cd x",
            "A=1 b",
            "echo $HOME",
            "echo \"$HOME\"",
            "rm *.o",
            "ls ~",
            "a > b",
            "if x",
            "a\nb",
            "a 'b",
        ] {
            assert_eq!(words(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes_go_and_one_of_them_means_something() {
        assert_eq!(prefixes("@-rm x "), ("rm x", true));
        assert_eq!(prefixes("+@ echo"), ("echo", false));
    }

    #[test]
    fn make_calls_itself() {
        assert_eq!(makes("$(MAKE) --no-print-directory lint test").unwrap(), ["lint", "test"]);
        for text in ["$(MAKE) -C sub all", "$(MAKE) A=1 x", "$(MAKE)", "$(MAKE) a && b"] {
            assert_eq!(makes(text), None, "{text}");
        }
    }

    #[test]
    fn s02_secrets_in_recipes_are_seen() {
        assert_eq!(stated_secret("docker run -e DB_PASSWORD=hunter2 x").unwrap(), "DB_PASSWORD");
        assert_eq!(stated_secret("login --password hunter2").unwrap(), "password");
        assert_eq!(stated_secret("login --password-stdin x --password $P"), None);
        assert_eq!(stated_secret("psql postgres://a:b@c/d").unwrap(), "the password of a URL");
        assert_eq!(stated_secret("docker run -e DB_PASSWORD=$DB_PASSWORD -e DB_PASSWORD x"), None);
    }
}
