//! The tasks as text of infra.toml.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::report::{FromMakefile, LeftOut, MadeTask};
use crate::config::{Config, Migrations};

/// The tables of the tasks, with what has to be read first, and what could not be converted as comments.
pub(super) fn text<'a>(from: &'a FromMakefile, tasks: impl Iterator<Item = &'a MadeTask>) -> String {
    let mut text = format!(
        "\n# From {}, which was read and not run. Read each task before you use it: what follows `-c` is the\n# Makefile's own text.\n",
        from.file.file_name().unwrap_or_default()
    );
    settings(&mut text, &from.settings);
    for MadeTask { file, line, name, task, notes, .. } in tasks {
        let _ = write!(text, "\n# {file}:{line}\n");
        for note in notes {
            comment(&mut text, note);
        }
        let _ = writeln!(text, "[tasks.{}]", key(name));
        string(&mut text, "describe", task.describe.as_ref());
        words(&mut text, "needs", &task.needs);
        string(&mut text, "service", task.service.as_ref());
        string(&mut text, "oneoff", task.oneoff.as_ref());
        if task.host {
            text.push_str("host = true\n");
        }
        words(&mut text, "run", &task.run);
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

/// What the calls of Compose and of migration tools say.
fn settings(text: &mut String, settings: &Config) {
    let paths = |paths: &[Utf8PathBuf]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    if settings.project.name.is_some() {
        text.push_str("\n[project]\n");
        string(text, "name", settings.project.name.as_ref());
    }
    if !settings.compose.files.is_empty() {
        text.push_str("\n[compose]\n");
        words(text, "files", &paths(&settings.compose.files));
    }
    for (name, own) in &settings.environments {
        let _ = writeln!(text, "\n[environments.{}]", key(name));
        words(text, "files", &paths(&own.files));
        words(text, "profiles", &own.profiles);
        words(text, "env-files", &paths(&own.env_files));
        if own.project_name.is_some() {
            text.push_str("# Make used this compose project; without the line the environment has its own.\n");
        }
        string(text, "project-name", own.project_name.as_ref());
    }
    let Migrations { service, up, down, status, seeds, .. } = &settings.migrations;
    if !up.is_empty() || !seeds.command.is_empty() {
        text.push_str("\n[migrations]\n");
        string(text, "service", service.as_ref());
        words(text, "up", up);
        words(text, "down", down);
        words(text, "status", status);
    }
    if !seeds.command.is_empty() {
        text.push_str("\n[migrations.seeds]\n");
        string(text, "service", seeds.service.as_ref());
        words(text, "command", &seeds.command);
    }
}

fn words(text: &mut String, key: &str, words: &[String]) {
    if !words.is_empty() {
        let _ = writeln!(text, "{key} = {}", list(words));
    }
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
