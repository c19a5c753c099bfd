//! The options that every command has.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::exec::invocation::quote;
use crate::report::Verbosity;
use crate::report::command::CommandPrefix;

/// Options before or after any command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// Project folder [default: the nearest with an infra.toml, else with a compose file].
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(super) project_dir: Option<PathBuf>,
    /// Environment, such as production [default: development].
    #[arg(short, long, global = true, value_name = "NAME", env = "INFRA_ENV", hide_env_values = true)]
    pub(super) env: Option<String>,
    /// Print one JSON document on stdout, errors as one on stderr.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print nothing on success.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print each command that is run, with secrets masked, and its output.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Print the commands that would change something, without running them.
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Answer yes to ordinary questions; not enough in a protected environment.
    #[arg(short, long, global = true)]
    pub(super) yes: bool,
    /// Project name, to confirm destruction in a protected environment.
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) confirm: Option<String>,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
    /// Hide spinners and progress bars.
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
}

/// When to use colours. Its values have no documentation, since clap would then spread out the help of every option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Globals {
    /// Conflicts that clap does not see, because one option precedes the command and the other follows it.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        (self.quiet && self.verbose).then_some("--quiet and --verbose cannot be used together")
    }

    /// What the commands in hints begin with.
    pub(super) fn commands(&self) -> CommandPrefix {
        commands(self.project_dir.as_deref(), self.env.as_deref(), self.confirm.as_deref())
    }

    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    /// Whether to show progress bars: at a terminal that can draw them, and not in a CI job.
    pub(super) fn progress(&self) -> bool {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        !self.no_progress && !self.json && !self.quiet && !dumb && !is_set("CI") && std::io::stderr().is_terminal()
    }

    /// Whether questions can be asked.
    pub(super) fn interactive(&self) -> bool {
        !self.json && !is_set("CI") && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Whether `stream` may be coloured: the flag, then `NO_COLOR`, then `CLICOLOR_FORCE`, then `CLICOLOR`, then what it is.
    pub(super) fn colored(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if is_set("NO_COLOR") => false,
            Color::Auto
                if is_set("CLICOLOR_FORCE") && std::env::var("CLICOLOR_FORCE").is_ok_and(|value| value != "0") =>
            {
                true
            }
            Color::Auto => {
                let refused = std::env::var("CLICOLOR").is_ok_and(|value| value == "0")
                    || std::env::var("TERM").is_ok_and(|term| term == "dumb");
                is_terminal && !refused
            }
        }
    }
}

/// The program as it was called, with the options that choose the project and the environment.
pub(super) fn commands(dir: Option<&Path>, env: Option<&str>, confirm: Option<&str>) -> CommandPrefix {
    let called = std::env::args_os().next().unwrap_or_default();
    // Cargo's alias calls the program by its path.
    let program = match Path::new(&called).file_stem() {
        None => "cargo xtask".to_owned(),
        Some(name) if name == "xtask" => "cargo xtask".to_owned(),
        Some(_) => quote(&called.to_string_lossy()),
    };
    CommandPrefix::new(program)
        .option("-C", dir.map(|dir| quote(&dir.to_string_lossy())))
        .option("-e", env.map(quote))
        .option("--confirm", confirm.map(quote))
}

fn is_set(key: &str) -> bool {
    std::env::var_os(key).is_some_and(|value| !value.is_empty())
}
