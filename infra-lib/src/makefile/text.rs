//! The tasks as text of infra.toml.

use std::fmt::Write as _;

use super::report::{FromMakefile, LeftOut, MadeTask};

/// The tables of the tasks, with what has to be read first, and what could not be converted as comments.
pub(super) fn text<'a>(from: &'a FromMakefile, tasks: impl Iterator<Item = &'a MadeTask>) -> String {
    let mut text = format!(
        "\n# From {}. Nothing of it was run. Read each task before you rely on it: what stands behind `-c` is\n# the Makefile's own text.\n",
        from.file.file_name().unwrap_or_default()
    );
    for MadeTask { file, line, name, task, notes, .. } in tasks {
        let _ = write!(text, "\n# {file}:{line}\n");
        for note in notes {
            comment(&mut text, note);
        }
        let _ = writeln!(text, "[tasks.{}]", key(name));
        string(&mut text, "describe", task.describe.as_ref());
        if !task.needs.is_empty() {
            let _ = writeln!(text, "needs = {}", list(&task.needs));
        }
        string(&mut text, "service", task.service.as_ref());
        string(&mut text, "oneoff", task.oneoff.as_ref());
        if task.host {
            text.push_str("host = true\n");
        }
        if !task.run.is_empty() {
            let _ = writeln!(text, "run = {}", list(&task.run));
        }
    }
    let left: Vec<&LeftOut> = from.left.iter().collect();
    if !left.is_empty() {
        text.push_str("\n# Not converted:\n");
        for LeftOut { file, line, what, why, .. } in left {
            comment(&mut text, &format!("  {file}:{line}: {what}: {why}"));
        }
    }
    text
}

fn string(text: &mut String, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        let _ = writeln!(text, "{key} = {}", quote(value));
    }
}

/// A comment, whatever is in it: TOML allows no control characters there.
fn comment(text: &mut String, line: &str) {
    let safe: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let _ = writeln!(text, "# {safe}");
}

fn key(name: &str) -> String {
    let is_bare = name.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
    if is_bare { name.to_owned() } else { quote(name) }
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(", "))
}

/// A string of TOML, with several lines as they are, so that they can be read.
fn quote(text: &str) -> String {
    if !text.contains('\n') {
        return toml::Value::String(text.to_owned()).to_string();
    }
    let is_literal = |char: char| char == '\n' || char == '\t' || !char.is_control();
    if !text.contains("'''") && !text.ends_with('\'') && text.chars().all(is_literal) {
        return format!("'''\n{text}'''");
    }
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
