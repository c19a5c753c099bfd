//! The options that every command has.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::report::Verbosity;

/// Options before or after any command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// The project's folder [default: the nearest with an infra.toml, else with a compose file].
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(super) project_dir: Option<PathBuf>,
    /// The environment, such as production [default: development].
    #[arg(short, long, global = true, value_name = "NAME", env = "INFRA_ENV", hide_env_values = true)]
    pub(super) env: Option<String>,
    /// One JSON document on stdout; errors as one on stderr.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Nothing on success.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Every command that is run, secrets masked, and what it prints.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Print the commands that would change something, and change nothing.
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Answer yes to ordinary questions; never enough for a protected environment.
    #[arg(short, long, global = true)]
    pub(super) yes: bool,
    /// The project's name, for destruction in a protected environment.
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) confirm: Option<String>,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
    /// No spinners and bars.
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
    /// What clap does not see, because one stands before the command and the other after it.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        (self.quiet && self.verbose).then_some("--quiet and --verbose cannot be used together")
    }

    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    /// Whether bars are welcome: at a terminal that can draw them, and not in a CI job.
    pub(super) fn progress(&self) -> bool {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        !self.no_progress && !self.json && !self.quiet && !dumb && !is_set("CI") && std::io::stderr().is_terminal()
    }

    /// Whether there is somebody to ask.
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

fn is_set(key: &str) -> bool {
    std::env::var_os(key).is_some_and(|value| !value.is_empty())
}
