//! Ending before any operation has run: help, `--version`, bad usage.

use serde_json::json;

use crate::error::Error;
use crate::exit::Exit;

use super::render;

/// Why parsing ended the process.
pub(super) enum End {
    /// Help or the version, for stdout.
    Shown(String),
    /// The words make no sense.
    Usage(String),
    /// The project's manifest cannot be read, so that its tasks are unknown.
    Problem(Error),
}

impl End {
    pub(super) fn of(error: &clap::Error) -> Self {
        let text = error.to_string();
        if error.use_stderr() { Self::Usage(text) } else { Self::Shown(text) }
    }

    #[expect(clippy::exit, clippy::disallowed_methods, reason = "like clap's own parse(), which this stands in for")]
    pub(super) fn leave(self, as_json: bool) -> ! {
        let exit = match self {
            Self::Shown(text) => {
                render::stdout(text.trim_end());
                Exit::Ok
            }
            Self::Usage(text) => {
                usage(as_json, &text);
                Exit::Usage
            }
            Self::Problem(error) => {
                render::error(as_json, false, "", &error);
                error.exit()
            }
        };
        std::process::exit(exit.code().into())
    }
}

fn usage(as_json: bool, text: &str) {
    if as_json {
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let error = json!({"code": Exit::Usage.name(), "exit_code": Exit::Usage.code(), "message": message, "hint": "`cargo xtask help` lists the commands"});
        render::stderr(&json!({"schema": 1, "operation": null, "error": error}).to_string());
    } else {
        render::stderr(text.trim_end());
    }
}
