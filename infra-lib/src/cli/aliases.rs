//! The spellings of `make`, so that `make X` becomes `cargo xtask X`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, FromArgMatches as _};

use crate::report::command::CommandPrefix;

use super::globals::{Globals, commands};

/// What is known about a command line before the project's tasks are.
#[derive(Debug, Default)]
pub(super) struct PreParsed {
    pub(super) dir: PathBuf,
    /// What the commands in hints begin with.
    pub(super) commands: CommandPrefix,
    pub(super) json: bool,
    pub(super) env: Option<String>,
    /// The first word that is not an option, and its position.
    pub(super) word: Option<(usize, String)>,
}

/// Reads the global options and finds the first word, without knowing the commands.
pub(super) fn early(words: &[OsString]) -> PreParsed {
    let command = Globals::augment_args(clap::Command::new("early"))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .allow_external_subcommands(true)
        .ignore_errors(true);
    let Ok(matches) = command.try_get_matches_from(words) else { return PreParsed::default() };
    let globals = Globals::from_arg_matches(&matches).ok();
    let word = matches
        .subcommand_name()
        .and_then(|name| Some((words.iter().skip(1).position(|word| word == name)? + 1, name.to_owned())));
    let after = &words[word.as_ref().map_or(words.len(), |(at, _)| *at)..];
    let dir = globals.as_ref().and_then(|globals| globals.project_dir.clone()).or_else(|| dir_after(after));
    let env = globals.as_ref().and_then(|globals| globals.env.clone());
    let confirm = globals.as_ref().and_then(|globals| globals.confirm.as_deref());
    PreParsed {
        commands: commands(dir.as_deref(), env.as_deref(), confirm),
        dir: dir.unwrap_or_else(|| PathBuf::from(".")),
        env,
        json: globals.is_some_and(|globals| globals.json) || after.iter().any(|word| word == "--json"),
        word,
    }
}

/// `-C DIR` may also follow the command.
fn dir_after(words: &[OsString]) -> Option<PathBuf> {
    let words: Vec<_> = words.iter().take_while(|word| *word != "--").collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let text = word.to_string_lossy();
        match text.as_ref() {
            "-C" | "--project-dir" => words.get(at + 1).map(PathBuf::from),
            _ => text.strip_prefix("--project-dir=").or_else(|| text.strip_prefix("-C")).map(PathBuf::from),
        }
    })
}

/// Replaces a Make-style first word by its command; a known word is left as it is.
pub(super) fn expand(words: &[OsString], early: &PreParsed, is_known: impl Fn(&str) -> bool) -> Vec<OsString> {
    let Some((at, word)) = &early.word else { return words.to_vec() };
    if is_known(word) {
        return words.to_vec();
    }
    let Some(replacement) = meaning(word) else { return words.to_vec() };
    words[..*at]
        .iter()
        .cloned()
        .chain(replacement.into_iter().map(OsString::from))
        .chain(words[at + 1..].iter().cloned())
        .collect()
}

/// The targets of a Makefile that are a command with options.
pub(super) const WORDS: [&str; 6] = ["rebuild", "clean-volumes", "ip", "prod-build", "prod-start", "prod-stop"];

fn meaning(word: &str) -> Option<Vec<&str>> {
    let fixed: Option<&[&str]> = match word {
        "rebuild" => Some(&["build", "--no-cache"]),
        "clean-volumes" => Some(&["clean", "--volumes"]),
        "ip" => Some(&["describe", "--addresses"]),
        "prod-build" => Some(&["-e", "production", "build"]),
        "prod-start" => Some(&["-e", "production", "start"]),
        "prod-stop" => Some(&["-e", "production", "stop"]),
        _ => None,
    };
    if let Some(words) = fixed {
        return Some(words.to_vec());
    }
    let (command, service) = word.split_once('-')?;
    (matches!(command, "logs" | "shell") && !service.is_empty()).then(|| vec![command, service])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let known = ["start", "logs", "build"];
        let words = expand(&words, &early(&words), |word| known.contains(&word));
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn make_targets_are_understood() {
        assert_eq!(expanded("xtask -C a logs-backend -f"), "xtask -C a logs backend -f");
        assert_eq!(expanded("xtask prod-start --json"), "xtask -e production start --json");
        assert_eq!(expanded("xtask rebuild web"), "xtask build --no-cache web");
        assert_eq!(expanded("xtask start logs-x"), "xtask start logs-x", "only the first word is a target");
        assert_eq!(expanded("xtask strat"), "xtask strat");
    }

    #[test]
    fn the_folder_is_found_before_and_after_the_command() {
        let dir = |line: &str| early(&line.split(' ').map(OsString::from).collect::<Vec<_>>()).dir;
        assert_eq!(dir("xtask -C a start"), PathBuf::from("a"));
        assert_eq!(dir("xtask start -C a"), PathBuf::from("a"));
        assert_eq!(dir("xtask start --project-dir=a x"), PathBuf::from("a"));
        assert_eq!(dir("xtask start"), PathBuf::from("."));
    }
}
