//! Ending before any operation has run: help, `--version`, bad usage.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::json;

use crate::exit::Exit;
use crate::project::error::Error;
use crate::suggest::did_you_mean;

use super::aliases::{self, PreParsed};
use super::render::{self, Style};

/// Why parsing ended the process.
pub(super) enum End {
    /// Help, the version or completions, for stdout.
    Shown(String),
    /// Bad usage, as reported by clap.
    Usage(String),
    /// The configuration cannot be read, so that its tasks are unknown; or bad usage, as reported by us.
    Problem(Error),
}

impl End {
    /// What clap rejects. `root` has every command.
    pub(super) fn from_clap(mut error: clap::Error, root: &clap::Command) -> Self {
        if error.kind() == ErrorKind::UnknownArgument {
            // Only commands that run another program take what follows `--`.
            error.remove(ContextKind::Suggested);
        }
        let error = &error;
        match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Self::Shown(error.to_string()),
            ErrorKind::MissingSubcommand => Self::usage("missing command", LIST),
            ErrorKind::InvalidSubcommand => match error.get(ContextKind::InvalidSubcommand) {
                Some(ContextValue::String(word)) if is_of_root(error) => unknown(word, root),
                _ => Self::Usage(error.to_string()),
            },
            _ if error.use_stderr() => Self::Usage(error.to_string()),
            _ => Self::Shown(error.to_string()),
        }
    }

    /// Whether the name after `-e` is missing.
    pub(super) fn lacks_environment(error: &clap::Error) -> bool {
        let is_option =
            |value: &ContextValue| matches!(value, ContextValue::String(name) if name.starts_with("--env "));
        error.kind() == ErrorKind::InvalidValue && error.get(ContextKind::InvalidArg).is_some_and(is_option)
    }

    /// Bad usage, with a hint.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Problem(Error::new(Exit::Usage, message).with_hint(hint))
    }

    #[expect(clippy::disallowed_methods, reason = "like clap's own parse(), which this replaces")]
    pub(super) fn leave(self, early: &PreParsed) -> ! {
        let exit = match self {
            Self::Shown(text) => {
                if !text.is_empty() {
                    render::stdout(text.trim_end());
                }
                Exit::Ok
            }
            Self::Usage(text) => {
                usage(early, &text);
                Exit::Usage
            }
            Self::Problem(error) => {
                render::error(&Style { json: early.json, ..Style::new(early.commands.clone()) }, None, &error);
                error.exit()
            }
        };
        std::process::exit(exit.code().into())
    }
}

const LIST: &str = "`cargo xtask help` lists the commands";

/// What other programs call our commands: Compose, psql, migration tools.
const OTHER_WORDS: [(&str, &str); 16] = [
    ("up", "start"),
    ("down", "stop"),
    ("rm", "clean"),
    ("pull", "update"),
    ("top", "stats"),
    ("status", "ps"),
    ("config", "describe"),
    ("psql", "db-shell"),
    ("sql", "db-shell"),
    ("dump", "db-backup"),
    ("pg_dump", "db-backup"),
    ("pg_restore", "db-restore"),
    ("migrate", "db-migrate"),
    ("seed", "db-seed"),
    ("bash", "shell"),
    ("sh", "shell"),
];

/// Whether the word was where a command is expected, and not after one with subcommands.
fn is_of_root(error: &clap::Error) -> bool {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return true };
    usage.to_string().trim().ends_with("COMMAND")
}

fn unknown(word: &str, root: &clap::Command) -> End {
    let visible = root.get_subcommands().filter(|command| !command.is_hide_set());
    let known = visible.map(clap::Command::get_name).chain(aliases::WORDS).chain(["help"]);
    let elsewhere = OTHER_WORDS.iter().find(|(other, _)| *other == word);
    let hint = match elsewhere {
        Some((_, ours)) => format!("did you mean `{ours}`?"),
        None => did_you_mean(word, known).unwrap_or_else(|| LIST.to_owned()),
    };
    End::usage(format!("unknown command or task `{word}`"), hint)
}

fn usage(early: &PreParsed, text: &str) {
    if early.json {
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let error = json!({"code": Exit::Usage.name(), "exit_code": Exit::Usage.code(), "message": message, "hint": early.commands.expand(LIST)});
        render::stderr(&json!({"schema": 1, "operation": null, "error": error}).to_string());
    } else {
        render::stderr(text.trim_end());
    }
}
