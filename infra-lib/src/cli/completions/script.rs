//! The command that prints a shell's completion script.

use clap::{Arg, ArgMatches};
use serde_json::json;

use crate::cli::entry::Rendered;
use crate::exit::Exit;

/// Its name.
pub(in crate::cli) const NAME: &str = "completions";

const SHELL: &str = "shell";
const SCRIPTS: [(&str, &str, &str); 3] = [
    ("bash", include_str!("script.bash"), "source <(cargo xtask completions bash)"),
    ("zsh", include_str!("script.zsh"), "source <(cargo xtask completions zsh)"),
    ("fish", include_str!("script.fish"), "cargo xtask completions fish | source"),
];

pub(in crate::cli) fn command() -> clap::Command {
    let lines: Vec<String> = SCRIPTS.iter().map(|(name, _, line)| format!("  {name:5} {line}")).collect();
    clap::Command::new(NAME)
        .about("Print the shell completion script of `cargo xtask`.")
        .after_help(format!("Add this to the shell's start-up file:\n{}", lines.join("\n")))
        .arg(
            Arg::new(SHELL)
                .required(true)
                .value_name("SHELL")
                .value_parser(SCRIPTS.map(|(name, _, _)| name))
                .help("Shell to complete in"),
        )
}

/// The script that was asked for.
pub(in crate::cli) fn script(matches: &ArgMatches) -> Rendered {
    let shell = matches.get_one::<String>(SHELL).map_or("bash", String::as_str);
    let script = SCRIPTS.iter().find(|(name, _, _)| *name == shell).map_or("", |(_, script, _)| script);
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let quoted = shlex::try_quote(&program.to_string_lossy()).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let text = script.replace("@program@", &quoted).replace("@name@", &name);
    let json = json!({"shell": shell, "script": text});
    Rendered { brief: text.clone(), text, json, exit: Exit::Ok, streamed: false, withheld: false, next: Vec::new() }
}
