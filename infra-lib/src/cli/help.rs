//! The help, grouped like that of a good Makefile.

use std::fmt::Write as _;

use clap::{Args as _, Subcommand};

use crate::project::operation::Group;

use super::command::{Kind, offered_as};
use super::globals::Globals;

const ABOUT: &str = "Set up, run, back up and check this project.";
const TEMPLATE: &str = "{about}\n\n{usage-heading} {usage}{after-help}";
/// The width of a narrow terminal.
const COLUMNS: usize = 80;

/// The root command, with every command under its heading.
pub(super) fn command<C: Subcommand>() -> clap::Command {
    let root = clap::Command::new("xtask").bin_name("cargo xtask");
    let root = C::augment_subcommands(Globals::augment_args(root));
    let overview = overview(&root);
    // The text that the derives take from doc comments is for readers of the code.
    root.about(ABOUT)
        .long_about(None)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(false)
        .max_term_width(100)
        .override_usage("cargo xtask [OPTIONS] COMMAND")
        .help_template(TEMPLATE)
        .after_help(overview)
}

/// Every command under the heading of its group; the host's own come first, the project's tasks last.
fn overview(root: &clap::Command) -> String {
    let general = Group::General.title();
    // What we do not offer is the host's, even if ours has the same name.
    let heading = |name: &str| match offered_as(name) {
        Some(Kind::Operation(entry)) => entry.group.title(),
        Some(Kind::Completions) => general,
        Some(Kind::Task(_)) => "Tasks",
        None => "Commands",
    };
    let mut text = String::new();
    let groups = Group::ALL.map(Group::title);
    for title in std::iter::once("Commands").chain(groups).chain(["Tasks"]) {
        let visible = root.get_subcommands().filter(|command| !command.is_hide_set());
        let of_group: Vec<_> = visible.filter(|command| heading(command.get_name()) == title).collect();
        let width = of_group.iter().map(|command| command.get_name().len()).max().unwrap_or(0).max(11);
        if !of_group.is_empty() {
            let _ = writeln!(text, "\n{title}");
        }
        for command in of_group {
            let line = format!("  {:width$}  {}", command.get_name(), summary(command));
            let _ = writeln!(text, "{}", cut(&line));
        }
    }
    // clap puts an empty line before it.
    text.push_str("\nGlobal options\n");
    for arg in root.get_arguments().filter(|arg| arg.is_global_set()) {
        let short = arg.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).and_then(|names| names.first());
        let long = arg.get_long().unwrap_or_default();
        let name = format!("{short}--{long}{}", value.map(|value| format!(" {value}")).unwrap_or_default());
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "{}", cut(&format!("  {name:23}  {}", help.trim_end_matches('.'))));
    }
    text.trim_start().to_owned() + FOOTER
}

const FOOTER: &str = "
`cargo xtask help COMMAND` explains a command in full.
In a new checkout, begin with `cargo xtask setup`.";

/// The first sentence, without its full stop.
pub(super) fn summary(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let line = about.lines().next().unwrap_or_default();
    line.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The line as far as it fits, ending with a whole word.
fn cut(line: &str) -> String {
    if line.chars().count() <= COLUMNS {
        return line.trim_end().to_owned();
    }
    let end = line.char_indices().nth(COLUMNS - 1).map_or(line.len(), |(at, _)| at);
    let end = line[..end].rfind(' ').unwrap_or(end);
    format!("{}…", line[..end].trim_end_matches([',', ':', ' ', '(']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_a_whole_word() {
        assert_eq!(cut("  short  text "), "  short  text");
        let long = cut(&format!("  name  {}", "words and ".repeat(12)));
        assert!(long.chars().count() <= COLUMNS && long.ends_with("words…") || long.ends_with("and…"), "{long}");
    }
}
