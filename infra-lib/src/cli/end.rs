//! Ending before any operation has run: help, `--version`, bad usage.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::json;

use crate::error::Error;
use crate::exit::Exit;
use crate::suggest::nearest;

use super::aliases;
use super::render::{self, Manner};

/// Why parsing ended the process.
pub(super) enum End {
    /// Help, the version or completions, for stdout.
    Shown(String),
    /// The words make no sense, as clap puts it.
    Usage(String),
    /// The project's manifest cannot be read, so that its tasks are unknown; or the words make no sense, as we put it.
    Problem(Error),
}

impl End {
    /// What clap says no to. `root` has every command that there is.
    pub(super) fn of(error: &clap::Error, root: &clap::Command) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Self::Shown(error.to_string()),
            ErrorKind::MissingSubcommand => Self::usage("there is no command", LIST),
            ErrorKind::InvalidSubcommand => match error.get(ContextKind::InvalidSubcommand) {
                Some(ContextValue::String(word)) if is_of_root(error) => unknown(word, root),
                _ => Self::Usage(error.to_string()),
            },
            _ if error.use_stderr() => Self::Usage(error.to_string()),
            _ => Self::Shown(error.to_string()),
        }
    }

    /// Bad usage, with the way out.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Problem(Error::new(Exit::Usage, message).with_hint(hint))
    }

    #[expect(clippy::disallowed_methods, reason = "like clap's own parse(), which this stands in for")]
    pub(super) fn leave(self, as_json: bool) -> ! {
        let exit = match self {
            Self::Shown(text) => {
                if !text.is_empty() {
                    render::stdout(text.trim_end());
                }
                Exit::Ok
            }
            Self::Usage(text) => {
                usage(as_json, &text);
                Exit::Usage
            }
            Self::Problem(error) => {
                render::error(Manner { json: as_json, ..Manner::default() }, None, &error);
                error.exit()
            }
        };
        std::process::exit(exit.code().into())
    }
}

const LIST: &str = "`cargo xtask help` lists the commands";

/// Whether the word stood where a command is expected, and not after one that has commands of its own.
fn is_of_root(error: &clap::Error) -> bool {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return true };
    usage.to_string().trim().ends_with("COMMAND")
}

fn unknown(word: &str, root: &clap::Command) -> End {
    let visible = root.get_subcommands().filter(|command| !command.is_hide_set());
    let known = visible.map(clap::Command::get_name).chain(aliases::WORDS).chain(["help"]);
    let hint = match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => LIST.to_owned(),
    };
    End::usage(format!("there is no command or task `{word}`"), hint)
}

fn usage(as_json: bool, text: &str) {
    if as_json {
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let error =
            json!({"code": Exit::Usage.name(), "exit_code": Exit::Usage.code(), "message": message, "hint": LIST});
        render::stderr(&json!({"schema": 1, "operation": null, "error": error}).to_string());
    } else {
        render::stderr(text.trim_end());
    }
}
