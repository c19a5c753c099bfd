//! Rewriting commands in hints to match how the program was called.
//!
//! The code writes every command of this program as `` `cargo xtask COMMAND` ``. It is expanded when a text is
//! displayed.

use std::borrow::Cow;

/// How the code writes this program's name.
const NEUTRAL: &str = "cargo xtask";

/// How the program was called: its name and the options that select the project and the environment. Suggested
/// commands start with it, so that they apply to the same project.
///
/// The default leaves texts unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandPrefix {
    program: String,
    options: Vec<(&'static str, String)>,
}

impl CommandPrefix {
    /// Creates a prefix without options. The program is quoted for a shell.
    pub fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), options: Vec::new() }
    }

    /// Adds an option with its value, quoted for a shell.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: Option<String>) -> Self {
        self.options.extend(value.map(|value| (name, value)));
        self
    }

    /// Expands each command in backticks or at the beginning of a line to what the caller would type. Expanding a
    /// text twice has no further effect.
    pub(crate) fn expand<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.program.is_empty() || !text.contains(NEUTRAL) {
            return Cow::Borrowed(text);
        }
        let mut expanded = String::with_capacity(text.len());
        let mut parts = text.split(NEUTRAL);
        expanded.push_str(parts.next().unwrap_or_default());
        for after in parts {
            let is_command = (expanded.is_empty() || expanded.ends_with(['`', '\n', ' ']))
                && (after.is_empty() || after.starts_with([' ', '`', '\n']));
            if is_command {
                expanded.push_str(&self.before(after));
            } else {
                expanded.push_str(NEUTRAL);
            }
            expanded.push_str(after);
        }
        Cow::Owned(expanded)
    }

    /// The prefix for a command. Options that the command states itself are left out.
    fn before(&self, rest: &str) -> String {
        let command = rest.split(['`', '\n']).next().unwrap_or_default();
        let stated: Vec<&str> = command.split_whitespace().collect();
        let options = self.options.iter().filter(|(name, _)| !stated.contains(name));
        let options = options.map(|(name, value)| format!(" {name} {value}"));
        self.program.clone() + &options.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p11_a_suggested_command_acts_on_what_the_call_acted_on() {
        let prefix = CommandPrefix::new("cargo xtask")
            .option("-C", Some("'/srv/the shop'".to_owned()))
            .option("-e", Some("production".to_owned()))
            .option("--confirm", None);
        let text = "`cargo xtask db-backup` creates one, `cargo xtask schedule install` does so regularly";
        let expected = "`cargo xtask -C '/srv/the shop' -e production db-backup` creates one, \
                        `cargo xtask -C '/srv/the shop' -e production schedule install` does so regularly";
        assert_eq!(prefix.expand(text), expected);
        assert_eq!(prefix.expand(expected), expected, "expanded once");
        assert_eq!(
            prefix.expand("cargo xtask -e staging start"),
            "cargo xtask -C '/srv/the shop' -e staging start",
            "another environment is meant"
        );
        assert_eq!(prefix.expand("mycargo xtask start, cargo xtasks"), "mycargo xtask start, cargo xtasks");
        assert_eq!(CommandPrefix::new("./shop").expand("`cargo xtask`"), "`./shop`");
        assert_eq!(CommandPrefix::default().expand(text), text);
    }
}
