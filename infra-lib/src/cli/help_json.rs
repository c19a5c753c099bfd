//! The help as one JSON document.

use clap::{Arg, Command};
use serde_json::{Value, json};

use super::command::{Kind, offered_as};
use super::help::summary;

/// Every command with its options, the global options, and the project's tasks.
pub(super) fn document(root: &Command) -> String {
    let mut root = root.clone();
    root.build();
    let globals: Vec<Value> = root.get_arguments().filter(|arg| arg.is_global_set()).map(option).collect();
    let (mut commands, mut tasks) = (Vec::new(), Vec::new());
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        let kind = offered_as(command.get_name());
        let mut value = described(command);
        match kind {
            Some(Kind::Task(_)) => tasks.push(value),
            Some(Kind::Operation(entry)) => {
                value["group"] = entry.group.title().into();
                commands.push(value);
            }
            _ => commands.push(value),
        }
    }
    let outcome = json!({"global_options": globals, "commands": commands, "tasks": tasks});
    json!({"schema": 1, "operation": "help", "outcome": outcome}).to_string()
}

fn described(command: &Command) -> Value {
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    let options: Vec<Value> = own().filter(|arg| !arg.is_positional()).map(option).collect();
    let arguments: Vec<Value> = own().filter(|arg| arg.is_positional()).map(option).collect();
    let inner: Vec<Value> =
        command.get_subcommands().filter(|inner| inner.get_name() != "help").map(described).collect();
    let help = command.get_about().map(ToString::to_string).unwrap_or_default();
    json!({
        "name": command.get_name(), "summary": summary(command), "help": help,
        "options": options, "arguments": arguments, "commands": inner,
    })
}

fn option(arg: &Arg) -> Value {
    let takes = arg.get_action().takes_values();
    let value = arg.get_value_names().filter(|_| takes).and_then(|names| names.first()).map(ToString::to_string);
    let possible = if takes { arg.get_possible_values() } else { Vec::new() };
    let possible: Vec<String> = possible.iter().map(|value| value.get_name().to_owned()).collect();
    json!({
        "name": arg.get_long().map_or_else(|| arg.get_id().to_string(), |long| format!("--{long}")),
        "short": arg.get_short().map(|short| format!("-{short}")),
        "value": value,
        "values": possible,
        "required": arg.is_required_set(),
        "help": arg.get_help().map(ToString::to_string),
    })
}
