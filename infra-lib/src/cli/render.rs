//! Outcomes and errors as text or JSON.

use std::io::Write as _;

use serde_json::json;

use crate::error::Error;
use crate::exit::Exit;
use crate::report::printable;

use super::brief::{HINT_LINES, LINES, brief};
use super::entry::Rendered;
use super::globals::Globals;

/// Writes a line and ignores that nobody may be there to read it.
pub(super) fn stdout(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

pub(super) fn stderr(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

pub(super) fn outcome(globals: &Globals, operation: &str, rendered: &Rendered) {
    if rendered.streamed {
        return;
    }
    if globals.json {
        let mut document = json!({"schema": 1, "operation": operation, "outcome": rendered.json});
        if rendered.withheld {
            document["dry_run"] = true.into();
        }
        return stdout(&document.to_string());
    }
    if rendered.withheld || globals.quiet && rendered.exit == Exit::Ok {
        return;
    }
    let text = if globals.quiet { brief(&rendered.brief, LINES) } else { rendered.text.clone() };
    if !text.is_empty() {
        // What an outcome quotes, a server or a container may have written.
        stdout(&printable(text.trim_end()));
    }
    if !globals.quiet && !rendered.next.is_empty() && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        stderr(&format!("\nnext:  {}", rendered.next.join("\n       ")));
    }
}

/// How an error is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) json: bool,
    pub(super) colored: bool,
    pub(super) quiet: bool,
}

pub(super) fn error(manner: Manner, operation: Option<&str>, error: &Error) {
    let Manner { json, colored, quiet } = manner;
    let exit = error.exit();
    // Whoever closed the pipe does not want to hear about it.
    if exit == Exit::Signal(13) {
        return;
    }
    let message = chain(error);
    if json {
        let document = json!({
            "schema": 1,
            "operation": operation,
            "error": {"code": exit.name(), "exit_code": exit.code(), "message": message, "hint": error.hint()},
        });
        return stderr(&document.to_string());
    }
    let label = if colored { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    let hint = error.hint();
    let message = if quiet { brief(&message, LINES - hint.iter().len() * HINT_LINES) } else { message };
    stderr(&format!("{label} {}", printable(&message)));
    if let Some(hint) = hint {
        let hint = if quiet { brief(&hint, HINT_LINES) } else { hint };
        let label = if colored { "\x1b[1;32mhint:\x1b[0m" } else { "hint:" };
        stderr(&format!("{label} {}", printable(&hint)));
    }
}

/// The message and those of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
