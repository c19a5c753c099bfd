//! What the word that is being typed could become.

use clap::{Arg, Command};

use super::super::help::summary;
use super::sources::Sources;

/// Makes the script offer folders, or files.
const DIRS: &str = ":dirs";
const FILES: &str = ":files";

/// Candidates as `word` or `word<tab>description`, without those that do not begin with the typed text.
pub(super) fn candidates(root: &Command, typed: &[String], sources: &Sources) -> Vec<String> {
    let Some((last, before)) = typed.split_last() else { return Vec::new() };
    let place = Place::after(root, before);
    // Bash passes `--env=pro` as three words.
    let last = if last == "=" && place.value_of.is_some() { "" } else { last };
    let found = match (place.value_of, last.split_once('=')) {
        (Some(arg), _) => values(arg, sources),
        (None, Some((option, _))) if option.starts_with("--") => match place.option(option) {
            Some(arg) => values(arg, sources).into_iter().map(|value| format!("{option}={value}")).collect(),
            None => Vec::new(),
        },
        (None, _) if last.starts_with('-') && !place.escaped => place.options(),
        (None, _) => place.words(sources),
    };
    found.into_iter().filter(|candidate| candidate.starts_with(':') || candidate.starts_with(last)).collect()
}

/// The position of the next word in the command line.
struct Place<'a> {
    command: &'a Command,
    /// The option whose value comes next.
    value_of: Option<&'a Arg>,
    /// How many positional arguments came before.
    position: usize,
    /// Whether `--` came before.
    escaped: bool,
}

impl<'a> Place<'a> {
    fn after(root: &'a Command, words: &[String]) -> Self {
        let mut place = Self { command: root, value_of: None, position: 0, escaped: false };
        for word in words {
            place.step(word);
        }
        place
    }

    fn step(&mut self, word: &str) {
        if self.value_of.is_some() {
            if word != "=" {
                self.value_of = None;
            }
        } else if self.escaped {
            self.position += 1;
        } else if word == "--" {
            self.escaped = true;
        } else if word.starts_with('-') && word.len() > 1 {
            self.value_of = self.option(word).filter(|arg| takes_next_word(arg));
        } else if let Some(command) = self.command.find_subcommand(word) {
            (self.command, self.position) = (command, 0);
        } else {
            self.position += 1;
        }
    }

    /// The option of this spelling: `--env`, or `-qe`, of which the last letter counts.
    fn option(&self, word: &str) -> Option<&'a Arg> {
        match word.strip_prefix("--") {
            Some(long) => self.command.get_arguments().find(|arg| arg.get_long() == Some(long)),
            None => self.command.get_arguments().find(|arg| arg.get_short() == word.chars().next_back()),
        }
    }

    fn options(&self) -> Vec<String> {
        let visible = self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        let described = visible.filter_map(|arg| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            Some(with(&format!("--{}", arg.get_long()?), help.split(". ").next().unwrap_or_default()))
        });
        described.collect()
    }

    fn words(&self, sources: &Sources) -> Vec<String> {
        let mut found = Vec::new();
        if self.position == 0 && !self.escaped {
            let visible = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            found.extend(visible.map(|command| with(command.get_name(), &summary(command))));
        }
        let positionals: Vec<_> = self.command.get_positionals().collect();
        // The last one may take many words.
        if let Some(arg) = positionals.get(self.position).or(positionals.last().filter(|arg| is_many(arg))) {
            found.extend(values(arg, sources));
        }
        found
    }
}

fn takes_next_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn is_many(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.max_values() > 1)
        || matches!(arg.get_action(), clap::ArgAction::Append)
}

/// The candidates for an argument, by its values or by its name in the help.
fn values(arg: &Arg, sources: &Sources) -> Vec<String> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(|value| value.get_name().to_owned()).collect();
    }
    let name = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
    match name {
        "SERVICE" => sources.services(),
        "SERVICE=N" => sources.services().into_iter().map(|service| format!("{service}=")).collect(),
        "BACKUP" => sources.backups(),
        "KEY" => sources.variables(),
        "DIR" => vec![DIRS.to_owned()],
        "FILE" | "PATH" => vec![FILES.to_owned()],
        _ if arg.get_long() == Some("env") => sources.environments(),
        _ => Vec::new(),
    }
}

fn with(word: &str, description: &str) -> String {
    let description = description.lines().next().unwrap_or_default().trim_end_matches('.');
    if description.is_empty() { word.to_owned() } else { format!("{word}\t{description}") }
}
