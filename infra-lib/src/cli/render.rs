//! Outcomes and errors as text or JSON.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::project::error::Error;
use crate::report::command::CommandPrefix;
use crate::report::plain::printable;

use super::brief::{HINT_LINES, LINES, brief};
use super::entry::Rendered;
use super::globals::Globals;

/// Writes a line and ignores a closed stream.
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
    let commands = globals.commands();
    if globals.json {
        let mut outcome = rendered.json.clone();
        expand(&commands, &mut outcome);
        let mut document = json!({"schema": 1, "operation": operation, "outcome": outcome});
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
        // An outcome may quote text from a server or a container.
        stdout(&printable(commands.expand(text.trim_end()).as_ref()));
    }
    if !globals.quiet && !rendered.next.is_empty() && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let next: Vec<_> = rendered.next.iter().map(|command| commands.expand(command)).collect();
        stderr(&format!("\nnext:  {}", next.join("\n       ")));
    }
}

/// Names the commands in every text of a document as the caller would type them.
fn expand(commands: &CommandPrefix, value: &mut Value) {
    match value {
        Value::String(text) => *text = commands.expand(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| expand(commands, item)),
        Value::Object(map) => map.values_mut().for_each(|item| expand(commands, item)),
        _ => {}
    }
}

/// How an error is shown.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// What the commands in hints begin with.
    pub(super) commands: CommandPrefix,
    pub(super) json: bool,
    pub(super) colored: bool,
    pub(super) quiet: bool,
}

impl Style {
    pub(super) fn new(commands: CommandPrefix) -> Self {
        Self { commands, json: false, colored: false, quiet: false }
    }
}

pub(super) fn error(manner: &Style, operation: Option<&str>, error: &Error) {
    let Style { commands, json, colored, quiet } = manner;
    let exit = error.exit();
    // A closed pipe is not an error.
    if exit == Exit::Signal(13) {
        return;
    }
    let message = commands.expand(&chain(error)).into_owned();
    let hint = error.hint().map(|hint| commands.expand(&hint).into_owned());
    if *json {
        let document = json!({
            "schema": 1,
            "operation": operation,
            "error": {"code": error.kind().code(), "exit_code": exit.code(), "message": message, "hint": hint},
        });
        return stderr(&document.to_string());
    }
    let label = if *colored { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    let message = if *quiet { brief(&message, LINES - hint.iter().len() * HINT_LINES) } else { message };
    stderr(&format!("{label} {}", printable(&message)));
    if let Some(hint) = hint {
        let hint = if *quiet { brief(&hint, HINT_LINES) } else { hint };
        let label = if *colored { "\x1b[1;32mhint:\x1b[0m" } else { "hint:" };
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
