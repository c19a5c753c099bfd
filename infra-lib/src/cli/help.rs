//! The help, grouped like that of a good Makefile.

use std::fmt::Write as _;

use clap::{Args as _, Subcommand};

use crate::operation::Group;

use super::globals::Globals;
use super::{commands, host};

const TEMPLATE: &str = "{about}\n\n{usage-heading} {usage}\n{after-help}";

/// The root command, with every command under its heading.
pub(super) fn command<C: Subcommand>() -> clap::Command {
    let root = clap::Command::new("xtask")
        .bin_name("cargo xtask")
        .about("Set up, run, back up and check this project")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(false)
        .max_term_width(100);
    let root = C::augment_subcommands(Globals::augment_args(root));
    let overview = overview(&root);
    root.help_template(TEMPLATE).after_help(overview)
}

/// Every command under the heading of its group; the host's own come first, the project's tasks last.
fn overview(root: &clap::Command) -> String {
    let heading = |name: &str| match commands::find(name) {
        Some(entry) => entry.group.title(),
        None if host::is_task(name) => "Tasks",
        None => "Commands",
    };
    let commands: Vec<_> = root.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    let width = commands.iter().map(|command| command.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for title in ["Commands", Group::Lifecycle.title(), Group::Database.title(), Group::General.title(), "Tasks"] {
        let mut lines = commands.iter().filter(|command| heading(command.get_name()) == title).peekable();
        if lines.peek().is_some() {
            let _ = writeln!(text, "\n{title}");
        }
        for command in lines {
            let _ = writeln!(text, "  {:width$}  {}", command.get_name(), first_line(command));
        }
    }
    text + FOOTER
}

const FOOTER: &str = "
`cargo xtask help COMMAND` explains one. `-e production` chooses an environment, `--dry-run` shows what would happen,
`--json` is for programs. A new checkout begins with `cargo xtask setup`.";

/// The first sentence, without its full stop.
fn first_line(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    about.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}
